"""Constants under operators: numbers, strings, comparisons, negation."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import (
    UNDEFINED,
    Env,
    External,
    Literal,
    Template,
    Union,
    Unknown,
    Value,
    Where,
    join,
    options_of,
    text_of,
    truth,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.values import Frame
    from auditor.code.syntax.facts import Scope

_MOST = 12


def number(text: str, where: Where) -> Value:
    """A number literal; `10n` is a BigInt."""
    plain = text.replace("_", "").lower()
    big = (plain.endswith("n") and not plain.startswith("0x")) or (plain.startswith("0x") and plain.endswith("n"))
    plain = plain.removesuffix("n") if big else plain
    try:
        if plain[:2] in ("0x", "0b", "0o"):
            return Literal(int(plain, 0), where, big=big)
        value = float(plain)
        return Literal(
            int(value) if value.is_integer() and "." not in plain and abs(value) < 1e21 else value, where, big=big
        )
    except (ValueError, OverflowError):
        return Unknown("a number that can't be read", text)


def operate(op: str, left: Value, right: Value, where: Where, text: str) -> Value:
    """`left op right`."""
    lefts, rights = options_of(left), options_of(right)
    if len(lefts) * len(rights) > _MOST:
        return Unknown(f"`{op}` over too many values", parts=(left, right))
    return join([_one(op, a, b, where, text) for a in lefts for b in rights])


def _one(op: str, left: Value, right: Value, where: Where, text: str) -> Value:
    if isinstance(left, Literal) and isinstance(right, Literal):
        value = _constant(op, left.value, right.value)
        if value is not _NOTHING and (value is None or isinstance(value, str | int | float | bool)):
            return Literal(value, where, left.env or right.env, left.big or right.big)
    if op == "+" and any(
        isinstance(side, Template) or (isinstance(side, Literal) and isinstance(side.value, str))
        for side in (left, right)
    ):
        parts = [
            *(left.parts if isinstance(left, Template) else (left,)),
            *(right.parts if isinstance(right, Template) else (right,)),
        ]
        return Template(tuple(parts), where)
    short = " ".join(text.split())
    return Unknown(f"`{short[:60]}` is computed at run time", short[:60], where=where, parts=(left, right))


class _Nothing:
    pass


_NOTHING = _Nothing()


def _constant(op: str, left: object, right: object) -> object:  # noqa: PLR0912  # one branch per kind
    if op in ("===", "=="):
        return left == right
    if op in ("!==", "!="):
        return left != right
    if op == "+" and (isinstance(left, str) or isinstance(right, str)):
        return text_of(Literal(left)) + text_of(Literal(right))  # type: ignore[arg-type]  # both are primitives here
    if not (isinstance(left, int | float) and isinstance(right, int | float)):
        return _NOTHING
    try:
        match op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return _tidy(left / right)
            case "%":
                return (
                    math.fmod(left, right)
                    if isinstance(left, float) or isinstance(right, float)
                    else int(math.fmod(left, right))
                )
            case "**":
                return left**right if abs(right) < 64 and abs(left) < 1e6 else _NOTHING
            case "<":
                return left < right
            case ">":
                return left > right
            case "<=":
                return left <= right
            case ">=":
                return left >= right
            case "<<":
                return int(left) << int(right) if 0 <= right < 32 else _NOTHING
    except (ArithmeticError, ValueError):
        return _NOTHING
    return _NOTHING


def _tidy(value: float) -> int | float:
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else value


tidy = _tidy


def unary(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`-a`, `+a`, `!a`, `void a`, `typeof a`."""
    operator, argument = node.child_by_field_name("operator"), node.child_by_field_name("argument")
    if operator is None or argument is None:
        return Unknown("a broken expression")
    value = ev.eval(argument, scope, frame)
    match operator.type:
        case "!":
            decided = truth(value)
            return Unknown("a condition", parts=(value,)) if decided is None else Literal(not decided)
        case "-" if isinstance(value, Literal) and isinstance(value.value, int | float):
            return Literal(-value.value, value.where, value.env, value.big)
        case "+":
            return to_number(value)
        case "void":
            return UNDEFINED
    return Unknown(f"`{scope.module.text(node)[:40]}` is computed at run time", parts=(value,))


def to_number(value: Value) -> Value:
    """`Number(value)`, `parseInt(value)`: an environment variable without a default stays one."""
    if isinstance(value, Union):
        return join([to_number(option) for option in value.options])
    if isinstance(value, Literal):
        constant = value.value
        if isinstance(constant, str):
            try:
                return Literal(_tidy(float(constant.strip() or "0")), value.where, value.env)
            except (ValueError, OverflowError):
                return Unknown(f"`{constant[:30]}` is no number")
        if isinstance(constant, bool):
            return Literal(int(constant), value.where, value.env)
        return value
    if isinstance(value, Env | External):
        return value
    return Unknown(value.why if isinstance(value, Unknown) else "computed at run time", text_of(value), parts=(value,),
                   uncalled=isinstance(value, Unknown) and value.uncalled)  # fmt: skip
