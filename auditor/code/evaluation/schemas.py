"""Defaults that validation libraries give to settings: zod, envalid, joi, t3-env, env-var, convict; and `ms`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation import arithmetic
from auditor.code.evaluation.values import (
    Array,
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
)

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_PARSERS = frozenset(
    ("parse", "parseAsync", "safeParse", "safeParseAsync", "validateSync", "validate", "validateAsync", "parseEnv", "decode", "Parse", "Decode",
     "Cast", "Clean", "attempt", "cast", "create", "mask")
)  # fmt: skip
"""Functions of validation libraries that give out the data that they let through."""
_SHAPED = frozenset(("object", "strictobject", "looseobject", "keys", "shape", "interface", "type"))
_OPEN = frozenset(("passthrough", "loose", "looseobject", "catchall"))
_MERGES = frozenset(("extend", "safeextend", "merge", "and", "concat", "intersection", "intersect", "composite", "or", "union", "discriminatedunion", "variant", "alternatives", "try"))  # fmt: skip
_WRAPS = frozenset(("array", "optional", "nullable", "nullish", "readonly", "partial", "required", "pipe", "exact", "items", "of", "promise", "preprocess", "lazy", "brand"))  # fmt: skip
_LOST = {
    "bigint": "a BigInt",
    "map": "a Map",
    "set": "a Set",
    "function": "a function",
    "symbol": "a symbol",
    "instanceof": "a class instance",
    "file": "a file",
    "blob": "a file",
}
_LIBRARIES = frozenset(("zod", "joi", "@hapi/joi", "valibot", "yup", "superstruct", "@sinclair/typebox"))
_MOST = 40
_DEFAULTS = frozenset(("default", "catch", "prefault"))


def called(ev: Evaluator, function: External, arguments: tuple[Value, ...]) -> Value | None:
    """A call of a package's function whose result is known; None for all others."""
    from auditor.code.evaluation import text_methods

    first = arguments[0] if arguments else None
    if function.package in ("ms", "@lukeed/ms", "parse-duration", "timestring") and first is not None:
        return text_methods.duration(first, function.where)
    if function.package in ("deepmerge", "lodash.merge", "defu", "lodash.defaults"):
        from auditor.code.evaluation import literals

        made: dict[str, Value] = {}
        rest: list[Value] = []
        reason = ""
        for argument in arguments if function.package in ("deepmerge", "lodash.merge") else reversed(arguments):
            reason = literals.merge(ev, made, rest, argument) or reason
        return literals.made_of(ev, made, rest, reason)
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
    other = _replaced(ev, value)
    if other is not None:
        return ev.member(other, name)
    shape = shape_of(ev, value)
    if shape is None:
        return None
    if name in ("data", "value") and name not in shape.members:
        return value
    field = shape.members.get(name)
    if field is None:
        return None
    return join([field_value(ev, option, name) for option in options_of(field)])


def _replaced(ev: Evaluator, value: External) -> External | None:
    """The value of another schema that a `transform` puts in the place of what was parsed: `.transform(() => env)`."""
    at: Value | None = schema_of(value)
    for _ in range(_MOST):
        if not isinstance(at, External):
            return None
        if _last(at) == "transform" and at.arguments and isinstance(at.arguments[0], FunctionValue):
            made = ev.call(at.arguments[0], (), None)
            return made if isinstance(made, External) and shape_of(ev, made) is not None else None
        at = at.base
    return None


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
    schema = schema_of(value)
    return fields(ev, schema, strict=False) if schema is not None else None


def schema_of(value: External) -> Value | None:
    """The schema that let a value through: `Schema.parse(x)`, `v.parse(Schema, x)`, `Value.Parse(Schema, x)`."""
    if value.package not in _LIBRARIES or "()" not in value.path or _last(value) not in _PARSERS:
        return None
    if isinstance(value.base, External) and "()" in value.base.path:
        return value.base
    return next((one for one in value.arguments if isinstance(one, External) and one.package in _LIBRARIES), None)


def fields(ev: Evaluator, schema: Value, *, strict: bool = True, depth: int = 0) -> Object | None:
    """The fields of a schema, each a schema, or a value where a `transform` gives one; None where they can't be told.

    `strict`: a schema that lets further keys through is not told either. A list's fields are those of its elements.
    """
    if isinstance(schema, Object):
        return schema
    if isinstance(schema, FunctionValue):
        schema = ev.call(schema, (), None)  # lazy(() => Schema)
    if not isinstance(schema, External) or depth > _MOST:
        return None
    last, first = _last(schema).lower(), schema.arguments[0] if schema.arguments else None
    if strict and last in _OPEN:
        return None
    if last in _SHAPED and isinstance(first, Object):
        return first
    if last in _MERGES:
        return _merged(ev, schema, strict, depth)
    under = schema.base
    if last in _WRAPS and isinstance(first, External | FunctionValue) and first is not under:
        wrapped = schema.arguments[1] if last == "preprocess" and len(schema.arguments) > 1 else first
        told = fields(ev, wrapped, strict=strict, depth=depth + 1)
        if told is not None:
            return told
    below = fields(ev, under, strict=strict, depth=depth + 1) if under is not None else None
    if below is not None and last in ("pick", "omit"):
        named = _names(first)
        kept = {name: field for name, field in below.members.items() if (name in named) == (last == "pick")}
        return Object(kept, where=below.where)
    if below is not None and last == "transform" and isinstance(first, FunctionValue):
        given = Object({name: field_value(ev, field, name) for name, field in below.members.items()}, where=below.where)
        made = ev.call(first, (given,), None)
        return made if isinstance(made, Object) and not made.open else below
    return below


def _merged(ev: Evaluator, schema: External, strict: bool, depth: int) -> Object | None:
    parts: list[Value] = [schema.base] if schema.base is not None else []
    for argument in schema.arguments:
        parts += argument.items if isinstance(argument, Array) else (argument,)
    told = [fields(ev, part, strict=strict, depth=depth + 1) for part in parts if isinstance(part, External | Object)]
    known = [one for one in told if one is not None]
    if not known or (strict and len(known) < len(told) - (schema.base is not None and told[0] is None)):
        return None
    members = {name: field for one in known for name, field in one.members.items()}
    return Object(members, where=known[0].where)


def _names(value: Value | None) -> frozenset[str]:
    """The keys that `pick` and `omit` are given, as `{ a: true }` or as a list."""
    if isinstance(value, Object):
        return frozenset(value.members)
    items = value.items if isinstance(value, Array) else ()
    return frozenset(str(one.value) for one in items if isinstance(one, Literal))


def lost(schema: Value | None) -> str:
    """What JSON loses of what a schema lets through; empty where nothing."""
    for _ in range(_MOST):
        if not isinstance(schema, External):
            break
        known = _LOST.get(_last(schema).lower())
        if known is not None:
            return known
        if _last(schema) in ("transform", "pipe", "codec"):
            break
        schema = schema.base
    return ""


def _last(value: External) -> str:
    return value.path.removesuffix("()").rsplit(".", 1)[-1]


_ANY = frozenset(("any", "unknown", "mixed"))
_NARROWS = frozenset(("refine", "superRefine", "custom", "valid", "test", "pipe", "when", "oneOf", "check"))


def unchecked(ev: Evaluator, value: Value) -> tuple[str, ...]:
    """Fields that the schema of a parsed value lets through whatever they are: `z.any()`, `Joi.any()`, `yup.mixed()`."""
    shape = shape_of(ev, value) if isinstance(value, External) else None
    found: list[str] = []
    for name, field in shape.members.items() if shape is not None else ():
        for option in options_of(field):
            steps = re.findall(r"(\w+)\(\)", option.path) if isinstance(option, External) else []
            if steps and steps[0] in _ANY and not _NARROWS & set(steps):
                found.append(name)
    return tuple(found)


def field_value(ev: Evaluator, field: Value, name: str) -> Value:
    """The value of one field: its default, or the environment variable of its name; a value that is no schema is itself."""
    if not isinstance(field, External) or field.package == "global":
        return field
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
        if last.lower() in _SHAPED and at.arguments and isinstance(at.arguments[0], Object):
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
