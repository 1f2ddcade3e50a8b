"""Evaluation by kind of expression: literals, objects, arrays, templates, operators, access."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code import arithmetic, callers, classes, invoke, names, types
from auditor.code.facts import Scope
from auditor.code.lazy_members import Members, held
from auditor.code.lexical import key_text, unquote
from auditor.code.values import (
    TYPED,
    UNDEFINED,
    Array,
    ClassValue,
    Env,
    External,
    Frame,
    FunctionValue,
    Lazy,
    LibraryClass,
    Literal,
    Namespace,
    Object,
    Template,
    Undefined,
    Union,
    Unknown,
    Value,
    Where,
    is_nothing,
    join,
    options_of,
    text_of,
    truth,
)  # fmt: skip

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluate import Evaluator

_WRAPPERS = frozenset(
    ("parenthesized_expression", "non_null_expression", "await_expression", "instantiation_expression")
)
_FUNCTIONS = frozenset(("arrow_function", "function_expression", "generator_function", "function_declaration", "generator_function_declaration"))  # fmt: skip


def evaluate(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """What a node may be."""
    kind = _KINDS.get(node.type)
    if kind is not None:
        return kind(ev, node, scope, frame)
    text = _short(scope.module.text(node))
    return Unknown(f"`{text}` can't be evaluated", text)


def _string(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Literal(unquote(scope.module.text(node)), ev.where(scope.module, node))


def _number(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return arithmetic.number(scope.module.text(node), ev.where(scope.module, node))


def _boolean(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Literal(node.type == "true", ev.where(scope.module, node))


def _null(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Literal(None, ev.where(scope.module, node))


def _undefined(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Undefined(ev.where(scope.module, node))


def _identifier(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return names.identifier(ev, scope.module.text(node), node, scope, frame)


def _this(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return classes.this(ev, scope, frame)


def _array(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return Array(*_items(ev, node, scope, frame), ev.where(scope.module, node))


def _function(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    fact = scope.module.function_at.get(node.id)
    return FunctionValue(fact, frame) if fact is not None else Unknown("a function")


def _class(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    fact = scope.module.class_at.get(node.id)
    return ClassValue(fact, frame) if fact is not None else Unknown("a class")


def _call(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return invoke.call_expression(ev, node, scope, frame)


def _new(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return invoke.new_expression(ev, node, scope, frame)


def _cast(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return types.cast(ev, node, scope, frame)


def _unary(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return arithmetic.unary(ev, node, scope, frame)


def _first(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return ev.eval(node.named_children[0], scope, frame) if node.named_children else UNDEFINED


def _last(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return ev.eval(node.named_children[-1], scope, frame) if node.named_children else UNDEFINED


def _assigned(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    right = node.child_by_field_name("right")
    return ev.eval(right, scope, frame) if right is not None else UNDEFINED


def _augmented(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    return join([ev.eval(child, scope, frame) for child in node.named_children])


def template(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """A template string; constant where all its parts are."""
    module, parts = scope.module, list[Value]()
    at = node.start_byte + 1
    for child in node.named_children:
        if child.type != "template_substitution":
            continue
        if child.start_byte > at:
            parts.append(_chunk(scope, at, child.start_byte))
        parts.append(ev.eval(child.named_children[0], scope, frame) if child.named_children else UNDEFINED)
        at = child.end_byte
    if node.end_byte - 1 > at:
        parts.append(_chunk(scope, at, node.end_byte - 1))
    return concatenate(parts, ev.where(module, node))


def _chunk(scope: Scope, start: int, end: int) -> Literal:
    return Literal(unquote("`" + scope.module.source[start:end].decode("utf-8", "replace") + "`"))


def concatenate(parts: list[Value], where: tuple[str, int] | None) -> Value:
    """The string that the parts make; several where a part is one of several constants."""
    choices: list[list[Value]] = [[]]
    for part in parts:
        options = [option for option in options_of(part) if isinstance(option, Literal)]
        if len(options) == len(options_of(part)) and len(choices) * len(options) <= 12:
            choices = [[*before, option] for before in choices for option in options]
        else:
            choices = [[*before, part] for before in choices]
    return join([_joined(choice, where) for choice in choices])


def _joined(parts: list[Value], where: tuple[str, int] | None) -> Value:
    flat: list[Value] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Template) else (part,))
    if all(isinstance(part, Literal) for part in flat):
        env = next((part.env for part in flat if isinstance(part, Literal) and part.env), "")
        return Literal("".join(text_of(part) for part in flat), where, env)
    return Template(tuple(flat), where)


def member_expression(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`a.b` and `a?.b`."""
    held, prop = node.child_by_field_name("object"), node.child_by_field_name("property")
    if held is None or prop is None:
        return Unknown("a broken expression")
    name = scope.module.text(prop)
    if held.type == "super":
        return classes.super_member(ev, name, scope, frame)
    value = ev.eval(held, scope, frame)
    return ev.member(value, name, ev.where(scope.module, node))


def subscript(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`a[b]`."""
    held, index = node.child_by_field_name("object"), node.child_by_field_name("index")
    if held is None or index is None:
        return Unknown("a broken expression")
    return at_key(ev, ev.eval(held, scope, frame), ev.eval(index, scope, frame), ev.where(scope.module, node))


def at_key(ev: Evaluator, value: Value, key: Value, where: tuple[str, int] | None) -> Value:
    """`value[key]`, for each key that it may be; any member where the key is not known."""
    found: list[Value] = []
    for option in options_of(key):
        if isinstance(option, Literal) and isinstance(option.value, str | int | float) and not option.env:
            name = option.value
            found.append(
                ev.member(value, str(int(name) if isinstance(name, float) and name.is_integer() else name), where)
            )
        else:
            found.append(any_member(value, text_of(option)))
    return join(found)


def any_member(value: Value, key: str = "…") -> Value:
    """One of the members of a value."""
    found: list[Value] = []
    for option in options_of(value):
        match option:
            case Object(members, rest, open_):
                found.extend(members.values())
                if rest is not None:
                    found.append(rest)
                if open_:
                    found.append(Unknown(open_))
            case Array():
                found.append(option.element())
            case External(_, "process.env"):
                found.append(Unknown("an environment variable", f"process.env[{key}]"))
            case _ if not is_nothing(option):
                found.append(Unknown(f"which member it is depends on `{key}`", f"{text_of(option)}[{key}]"))
    return join(found) if found else Unknown(f"which member it is depends on `{key}`", f"[{key}]")


def _items(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> tuple[tuple[Value, ...], Value | None]:
    items: list[Value] = []
    rest: list[Value] = []
    for child in node.named_children:
        if child.type == "comment":
            continue
        value = ev.eval(child, scope, frame)
        if child.type != "spread_element":
            (rest if rest else items).append(value)
            continue
        for option in options_of(value):
            if isinstance(option, Array) and not rest and option.rest is None and not isinstance(value, Union):
                items.extend(option.items)
            elif isinstance(option, Array):
                rest.append(option.element())
            elif isinstance(option, Object):
                rest.append(any_member(option))
            elif not is_nothing(option):
                rest.append(Unknown("elements of a list that is not known", text_of(option)))
    return tuple(items), join(rest) if rest else None


def object_literal(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`{...}` with its spreads merged in order."""
    module = scope.module
    made: dict[str, Value] = {}
    rest: list[Value] = []
    reason, via = "", list[tuple[str, int]]()
    for child in node.named_children:
        match child.type:
            case "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is None or value is None:
                    continue
                for name in _keys(ev, key, scope, frame):
                    worth = ev.eval(value, scope, frame) if value.type in callers.PLAIN else Lazy(value, scope, frame)
                    if name is None:
                        rest.append(worth)
                    else:
                        made.pop(name, None)
                        made[name] = worth
            case "shorthand_property_identifier":
                made[module.text(child)] = Lazy(child, scope, frame)
            case "method_definition" if child.id in module.function_at:
                fact = module.function_at[child.id]
                made[fact.name.strip("[]")] = FunctionValue(fact, frame)
            case "spread_element" if child.named_children:
                spread = opened(ev, ev.eval(child.named_children[0], scope, frame))
                via.append((module.path, int(child.start_point[0]) + 1))
                reason = merge(ev, made, rest, spread) or reason
    return Object(
        Members(made, ev.force), join(ev.forced(tuple(rest))) if rest else None, reason, ev.where(module, node), via=tuple(via), node=node
    )  # fmt: skip


def made_of(ev: Evaluator, made: dict[str, Value], rest: list[Value], reason: str, where: Where = None) -> Object:
    """The object that spreads have been merged into."""
    return Object(Members(made, ev.force), join(ev.forced(tuple(rest))) if rest else None, reason, where)


def opened(ev: Evaluator, value: Value) -> Value:
    """A value whose module namespaces are objects of their exports, to be spread."""
    if not any(isinstance(option, Namespace) for option in options_of(value)):
        return value
    found: list[Value] = []
    for option in options_of(value):
        module = ev.program.module(option.path) if isinstance(option, Namespace) else None
        if module is None or not isinstance(option, Namespace):
            found.append(option)
            continue
        names = [name for name in module.exports if name != "="]
        found.append(
            Object({name: ev.export(option.path, name) for name in names}, open="" if not module.stars else "a barrel")
        )
    return join(found)


def _keys(ev: Evaluator, key: Node, scope: Scope, frame: Frame | None) -> Iterator[str | None]:
    if key.type != "computed_property_name":
        yield key_text(scope.module, key)
        return
    if not key.named_children:
        return
    for option in options_of(ev.eval(key.named_children[0], scope, frame)):
        yield str(option.value) if isinstance(option, Literal) and not option.env else None


def merge(ev: Evaluator, made: dict[str, Value], rest: list[Value], spread: Value) -> str:
    """Spread a value over an object in the making; returns why more members may be there, or nothing."""
    options = options_of(spread)
    reason = ""
    tables: list[dict[str, Value] | None] = []
    for option in options:
        match option:
            case Object(members, inner, open_):
                tables.append(dict(held(members)))
                if inner is not None:
                    rest.append(inner)
                reason = (open_ if open_ != TYPED else "") or reason
            case Unknown(uncalled=True) | Literal() | Undefined() | FunctionValue() | LibraryClass() | ClassValue():
                tables.append({})  # spreading these adds nothing; a parameter that nobody passes is undefined
            case Env() | Template():
                tables.append({})
            case _:
                tables.append(None)
                reason = f"what `...{_short(text_of(option))}` holds is not known"
    known = [table for table in tables if table is not None]
    unsure = len(known) < len(tables)
    for key in dict.fromkeys(key for table in known for key in table):
        before = made.get(key)
        values = [table.get(key, before if before is not None else UNDEFINED) for table in known]
        if unsure or (reason and not all(key in table for table in known)):
            values.append(Unknown(reason))
        made.pop(key, None)
        made[key] = values[0] if len(values) == 1 else join(ev.forced(tuple(values)))
    if unsure or reason:
        for key, value in made.items():
            if not any(key in table for table in known):
                made[key] = join([ev.force(value), Unknown(reason)])
    return reason


def ternary(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """`a ? b : c`: one branch where the condition is a constant, else both."""
    condition, then, other = (node.child_by_field_name(name) for name in ("condition", "consequence", "alternative"))
    if condition is None or then is None or other is None:
        return Unknown("a broken expression")
    decided = truth(ev.eval(condition, scope, frame))
    if decided is not None:
        return ev.eval(then if decided else other, scope, frame)
    return join([ev.eval(then, scope, frame), ev.eval(other, scope, frame)])


def binary(ev: Evaluator, node: Node, scope: Scope, frame: Frame | None) -> Value:
    """Operators; `||` and `??` fall back, `&&` may give nothing."""
    left_node, right_node, operator = (node.child_by_field_name(name) for name in ("left", "right", "operator"))
    if left_node is None or right_node is None or operator is None:
        return Unknown("a broken expression")
    op = operator.type
    left = ev.eval(left_node, scope, frame)
    if op in ("||", "??"):
        return fall_back(ev, left, lambda: ev.eval(right_node, scope, frame), op)
    if op == "&&":
        decided = truth(left)
        if decided is False:
            return left
        right = ev.eval(right_node, scope, frame)
        return right if decided else join([UNDEFINED, right])
    return arithmetic.operate(
        op, left, ev.eval(right_node, scope, frame), ev.where(scope.module, node), scope.module.text(node)
    )


def fall_back(ev: Evaluator, left: Value, right: object, op: str) -> Value:
    """`left || right`, `left ?? right`: an environment variable with a default is that default."""
    found: list[Value] = []
    needed = False
    env = ""
    for option in options_of(left):
        decided = truth(option)
        nothing = is_nothing(option) if op == "??" else decided is False
        if nothing or (isinstance(option, Unknown) and option.uncalled):
            needed = True
        elif isinstance(option, Env):
            needed, env = True, option.name
        elif isinstance(option, Literal):
            needed = needed or bool(option.env and option.value is None)
            found.append(option)
        else:
            found.append(option)
            needed = needed or (decided is None and not isinstance(option, Literal))
    if not needed and found:
        return join(found)
    value = right() if callable(right) else UNDEFINED
    if env:
        value = join([Literal(o.value, o.where, env) if isinstance(o, Literal) else o for o in options_of(value)])
    return join([*found, value])


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


short = _short


_KINDS = {
    "string": _string,
    "number": _number,
    "true": _boolean,
    "false": _boolean,
    "null": _null,
    "undefined": _undefined,
    "template_string": template,
    "identifier": _identifier,
    "shorthand_property_identifier": _identifier,
    "this": _this,
    "member_expression": member_expression,
    "subscript_expression": subscript,
    "call_expression": _call,
    "new_expression": _new,
    "object": object_literal,
    "array": _array,
    **dict.fromkeys(_FUNCTIONS, _function),
    "class": _class,
    "class_declaration": _class,
    "abstract_class_declaration": _class,
    **dict.fromkeys(_WRAPPERS, _first),
    "as_expression": _cast,
    "satisfies_expression": _cast,
    "type_assertion": _last,
    "ternary_expression": ternary,
    "binary_expression": binary,
    "unary_expression": _unary,
    "assignment_expression": _assigned,
    "augmented_assignment_expression": _augmented,
    "sequence_expression": _last,
    "spread_element": _first,
}
"""How each kind of expression is evaluated."""
