"""Methods of strings, and durations that are written as text."""

from __future__ import annotations

import re
from collections.abc import Callable

from auditor.code.evaluation import arithmetic, templates
from auditor.code.evaluation.values import Array, Env, Literal, Unknown, Value, Where, text_of

_TEXT: dict[str, Callable[[str], str]] = {
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
    "toString": str,
    "valueOf": str,
}


_UNIT = {"ms": 1, "s": 1e3, "m": 6e4, "h": 3.6e6, "d": 8.64e7, "w": 6.048e8, "y": 3.15576e10}


_DURATION = re.compile(
    r"^(-?[\d.]+)\s*(ms|milli\w*|s|sec\w*|m|min\w*|h|hr\w*|hour\w*|d|day\w*|w|week\w*|y|yr\w*|year\w*)?$", re.I
)


def method(value: Value, name: str, arguments: tuple[Value, ...], where: Where) -> Value:
    """`value.name(...arguments)` of a string, or a number."""
    if isinstance(value, Literal):
        if isinstance(value.value, str) and name in _TEXT:
            return Literal(_TEXT[name](value.value), where, value.env)
        if (
            isinstance(value.value, str)
            and name == "split"
            and arguments
            and isinstance(arguments[0], Literal)
            and arguments[0].value
        ):
            return Array(
                tuple(Literal(part, where, value.env) for part in value.value.split(str(arguments[0].value))),
                where=where,
            )
        if isinstance(value.value, str) and name in ("replace", "replaceAll") and len(arguments) > 1:
            old, new = arguments[0], arguments[1]
            if isinstance(old, Literal) and isinstance(new, Literal):
                return Literal(
                    value.value.replace(str(old.value), str(new.value), 1 if name == "replace" else -1),
                    where,
                    value.env,
                )
        if name == "toString":
            return Literal(text_of(value), where, value.env)
        if name == "concat":
            return templates.concatenate([value, *arguments], where)
    return Unknown(f"what {name}() makes of a string", f"{text_of(value)}.{name}()", parts=(value, *arguments))


def duration(value: Value, where: Where) -> Value:
    """`ms('5m')` in ms."""
    if isinstance(value, Literal) and isinstance(value.value, str):
        match = _DURATION.match(value.value.strip())
        if match is not None:
            unit = (match.group(2) or "ms").lower()
            key = unit if unit in _UNIT else "ms" if unit.startswith("milli") else unit[0]
            return Literal(arithmetic.tidy(float(match.group(1)) * _UNIT[key]), where, value.env)
    return value if isinstance(value, Literal | Env) else Unknown("a duration", "ms()", parts=(value,))
