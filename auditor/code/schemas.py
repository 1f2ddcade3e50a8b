"""Defaults that validation libraries give to settings: zod, envalid, joi, t3-env, env-var, convict; and `ms`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code import arithmetic
from auditor.code.values import (
    Env,
    External,
    FunctionValue,
    Literal,
    Object,
    Unknown,
    Value,
    Where,
    join,
    options_of,
)  # fmt: skip

if TYPE_CHECKING:
    from auditor.code.evaluate import Evaluator

_PARSERS = frozenset(("parse", "parseAsync", "safeParse", "validateSync", "validate", "parseEnv", "decode"))
_SHAPED = frozenset(("object", "strictObject", "looseObject", "keys"))
_KEEPS = frozenset(
    (
        "passthrough",
        "strict",
        "strip",
        "partial",
        "required",
        "transform",
        "refine",
        "superRefine",
        "catchall",
        "readonly",
        "unknown",
    )
)
_DEFAULTS = frozenset(("default", "catch", "prefault"))


def called(ev: Evaluator, function: External, arguments: tuple[Value, ...]) -> Value | None:
    """A call of a package's function whose result is known; None for all others."""
    from auditor.code import builtins

    first = arguments[0] if arguments else None
    if function.package in ("ms", "@lukeed/ms", "parse-duration", "timestring") and first is not None:
        return builtins.duration(first, function.where)
    if function.package in ("deepmerge", "lodash.merge", "defu", "lodash.defaults"):
        from auditor.code import expressions

        made: dict[str, Value] = {}
        rest: list[Value] = []
        reason = ""
        for argument in arguments if function.package in ("deepmerge", "lodash.merge") else reversed(arguments):
            reason = expressions.merge(ev, made, rest, argument) or reason
        return expressions.made_of(ev, made, rest, reason)
    if function.package == "@nestjs/config" and function.path == "registerAs" and len(arguments) > 1:
        return arguments[1]
    if (
        function.package in ("fastify-plugin", "express-async-handler", "p-memoize", "lodash.once", "mem")
        and first is not None
    ):
        return first if isinstance(first, FunctionValue) else None
    return None


def member(ev: Evaluator, value: External, name: str) -> Value | None:
    """`result.NAME` where `result` comes from a schema: the field's default."""
    shape = shape_of(ev, value)
    if shape is None:
        return None
    if name in ("data", "value") and name not in shape.members:
        return value
    field = shape.members.get(name)
    if field is None:
        return None
    return join([field_value(ev, option, name) for option in options_of(field)])


def shape_of(ev: Evaluator, value: External) -> Object | None:
    """The fields of the schema that a parsed value obeys."""
    package, path = value.package, value.path
    if package in ("envalid", "env-var", "@t3-oss/env-core", "@t3-oss/env-nextjs", "@t3-oss/env-nuxt", "znv"):
        if path.endswith("cleanEnv()") and len(value.arguments) > 1 and isinstance(value.arguments[1], Object):
            return value.arguments[1]
        if path.endswith("parseEnv()") and len(value.arguments) > 1 and isinstance(value.arguments[1], Object):
            return value.arguments[1]
        if path.endswith("createEnv()") and value.arguments and isinstance(value.arguments[0], Object):
            made: dict[str, Value] = {}
            for part in ("shared", "client", "server"):
                held = value.arguments[0].members.get(part)
                if isinstance(held, Object):
                    made.update(held.members)
            return Object(made)
    if package in ("zod", "zod/v4", "joi", "@hapi/joi", "valibot", "yup", "superstruct") and "()" in path:
        last = path.removesuffix("()").rsplit(".", 1)[-1]
        if last in _PARSERS:
            return _shape(value.base)
    return None


def _shape(value: Value | None, depth: int = 0) -> Object | None:
    while isinstance(value, External) and depth < 20:
        last = value.path.removesuffix("()").rsplit(".", 1)[-1]
        if last in _SHAPED and value.arguments and isinstance(value.arguments[0], Object):
            return value.arguments[0]
        if last in ("extend", "merge", "and") and value.arguments:
            base = _shape(value.base, depth + 1)
            more = (
                value.arguments[0] if isinstance(value.arguments[0], Object) else _shape(value.arguments[0], depth + 1)
            )
            return Object({**(base.members if base is not None else {}), **(more.members if more is not None else {})})
        value, depth = value.base, depth + 1
    return None


def field_value(ev: Evaluator, field: Value, name: str) -> Value:
    """The value of one field: its default, or the environment variable of its name."""
    at: Value | None = field
    for _ in range(20):
        if not isinstance(at, External):
            break
        last = at.path.removesuffix("()").rsplit(".", 1)[-1]
        if last in _DEFAULTS and at.arguments:
            return _as_default(ev, at.arguments[0], name, field)
        if at.package == "envalid" and at.arguments and isinstance(at.arguments[0], Object):
            for key in ("default", "devDefault"):
                if key in at.arguments[0].members:
                    return _as_default(ev, at.arguments[0].members[key], name, field)
        if last in _SHAPED and at.arguments and isinstance(at.arguments[0], Object):
            inner = at.arguments[0]
            return Object(
                {
                    key: join([field_value(ev, o, key) for o in options_of(value)])
                    for key, value in inner.members.items()
                }
            )
        at = at.base
    return Env(name)


def _as_default(ev: Evaluator, value: Value, name: str, field: Value) -> Value:
    if isinstance(value, FunctionValue):
        value = ev.call(value, (), None)
    numeric = isinstance(field, External) and any(word in _chain(field) for word in ("number", "num(", "port(", "int("))
    for function in _transforms(field):
        if (
            isinstance(function, External)
            and function.package == "global"
            and function.path in ("Number", "parseInt", "parseFloat")
        ):
            numeric = True
        elif isinstance(function, FunctionValue):
            value = ev.call(function, (value,), None)
    found: list[Value] = []
    for option in options_of(value):
        settled = arithmetic.to_number(option) if numeric else option
        found.append(Literal(settled.value, settled.where, name) if isinstance(settled, Literal) else settled)
    return join(found)


def _transforms(value: Value | None) -> list[Value]:
    """Functions that a field's chain applies to its value, first applied first."""
    found: list[Value] = []
    while isinstance(value, External) and len(found) < 10:
        if value.path.endswith(("transform()", "preprocess()", "pipe()")):
            found.extend(value.arguments[:1])
        value = value.base
    return list(reversed(found))


def _chain(value: Value | None) -> str:
    words: list[str] = []
    while isinstance(value, External) and len(words) < 20:
        words.append(value.path)
        value = value.base
    return " ".join(words)


def chained(ev: Evaluator, receiver: External, name: str, arguments: tuple[Value, ...], where: Where) -> Value | None:
    """A method of a package's object whose result is known: env-var's chain."""
    del ev
    if receiver.package == "env-var":
        chain: list[External] = []
        at: Value | None = receiver
        while isinstance(at, External) and len(chain) < 10:
            chain.append(at)
            at = at.base
        if name in ("asInt", "asIntPositive", "asNumber", "asPortNumber", "asFloat", "asString", "asBool"):
            for step in chain:
                if step.path.endswith("default()") and step.arguments:
                    value = step.arguments[0]
                    return arithmetic.to_number(value) if name not in ("asString", "asBool") else value
            return Env("")
    del arguments, where
    return None


def unknown_setting(name: str) -> Unknown:
    """A setting that no file in the repository defines."""
    return Unknown(f"the setting `{name}` is not defined in the repository", f"config.{name}")
