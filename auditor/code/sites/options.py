"""Values to options: what a reader and a probe get to see of an abstract value, with its provenance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from auditor.code.evaluation import external
from auditor.code.evaluation.values import (
    Array,
    Env,
    External,
    FunctionValue,
    LibraryObject,
    Literal,
    Object,
    Template,
    Undefined,
    Union,
    Unknown,
    Value,
    Where,
    is_nothing,
    options_of,
    text_of,
    walk,
    where_of,
)
from auditor.code.model import ABSENT, Json, Option, OptionState
from auditor.masking import mask_forms
from auditor.model import CodeSpan

_DEEPEST = 6
_MOST_PARTS = 6
_WORD = re.compile(r"[A-Za-z]{3}")


def span(where: Where) -> CodeSpan | None:
    """A place as reports name it."""
    return CodeSpan(where[0], where[1], where[1]) if where is not None else None


def to_json(value: Value, depth: int = 0) -> Json:
    """A value as plain JSON; None for what is not known."""
    if depth > _DEEPEST:
        return None
    match value:
        case Literal(constant):
            return mask_forms(constant) if isinstance(constant, str) else constant
        case Object(members, _, _, _, "object"):
            return {
                key: to_json(member, depth + 1) for key, member in members.items() if not isinstance(member, Undefined)
            }
        case Array(items, rest):
            return tuple(to_json(item, depth + 1) for item in (*items, *([rest] if rest is not None else [])))
        case Template():
            return mask_forms(text_of(value))
        case FunctionValue(fact):
            return f"function {fact.name}".strip()
        case Union(options):
            first = {repr(to_json(option, depth + 1)): to_json(option, depth + 1) for option in options}
            return next(iter(first.values())) if len(first) == 1 else None
    return None


def is_known(value: Value) -> bool:
    """Whether a value is settled as a whole; members of an object may be open."""
    return isinstance(value, Literal | Object | Array | Template | FunctionValue)


def option(values: Iterable[Value], via: Sequence[CodeSpan] = ()) -> Option:
    """One option from all that it may be: over call sites, branches and defaults."""
    seen: dict[str, tuple[Json, Value]] = {}
    absent = False
    unknown: list[Value] = []
    for value in values:
        for one in options_of(value):
            if isinstance(one, Undefined):
                absent = True
            elif is_known(one):
                plain = to_json(one)
                seen.setdefault(repr(plain), (plain, one))
            else:
                unknown.append(one)
    if unknown:
        first = unknown[0]
        return Option(OptionState.UNKNOWN, origin=span(where_of(first)), via=tuple(via), why=why_of(first))
    if not seen:
        return ABSENT
    found = list(seen.values())
    origin = span(where_of(found[0][1]))
    if len(found) == 1 and not absent:
        return Option(OptionState.KNOWN, found[0][0], origin=origin, via=tuple(via), why=_env(found[0][1]))
    listed = tuple(plain for plain, _ in found) + ((None,) if absent else ())
    return Option(OptionState.VARIES, values=listed, origin=origin, via=tuple(via))


def _env(value: Value) -> str:
    return f"the default of {value.env}" if isinstance(value, Literal) and value.env else ""


def why_of(value: Value) -> str:
    """Why a value is not known, in a reader's words."""
    match value:
        case Unknown(why):
            return why
        case Env(name):
            return f"process.env.{name} has no default"
        case External(package, path):
            return f"it comes from {package} at run time ({path})" if path else f"it comes from {package} at run time"
        case LibraryObject():
            return "an object of the library"
    return "it is known at run time alone"


_GENERIC = re.compile(r"(?:^|\.)(?:id|jobId|opts|options|key|arg\d*|value)$")
_PLAIN = frozenset(
    (
        "Date",
        "Math",
        "JSON",
        "String",
        "Number",
        "Buffer",
        "btoa",
        "atob",
        "encodeURIComponent",
        "crypto",
        "BigInt",
        "Object",
        "Array",
    )
)
_TRANSPARENT = frozenset(
    (
        "crypto", "global", "object-hash", "md5", "sha.js", "hash.js", "crypto-js", "xxhash", "murmurhash", "date-fns", "dayjs", "moment", "luxon",
        "lodash", "slugify", "buffer", "uuid", "ulid", "nanoid", "moment-timezone", "date-fns-tz", "js-sha256", "ohash", "node-object-hash",
    )
)  # fmt: skip


def determinism(values: Iterable[Value]) -> tuple[bool | None, tuple[str, ...]]:
    """Whether an id is made of nothing but business values and constants, and what it is made of.

    None: absent, or a part of it can't be told.
    """
    parts: dict[str, None] = {}
    found: set[bool | None] = set()
    for value in values:
        for one in options_of(value):
            if is_nothing(one):
                continue
            if len(parts) < _MOST_PARTS:
                parts.update(dict.fromkeys(_parts(one)))
            found.add(_stable(one))
    if False in found:
        return False, tuple(parts)
    return (None if None in found or not found else True), tuple(parts)


def _stable(value: Value, depth: int = 0) -> bool | None:
    """False where a value differs from run to run, None where that can't be told."""
    if external.is_volatile(value):
        return False
    if depth > 12:
        return True
    inner: tuple[Value, ...] = ()
    match value:
        case Template(parts) | Union(parts):
            inner = parts
        case Unknown(_, text, _, _, parts):
            if value.why.startswith("it has too many"):
                inner = parts
            elif (depth == 0 and value.uncalled and (not text or _GENERIC.search(text))) or (
                depth == 0 and not text and not parts
            ):
                return None
            else:
                inner = parts
        case External(package):
            if package in _TRANSPARENT and (
                package != "global" or value.path.split(".")[0].removesuffix("()") in _PLAIN
            ):
                inner = (*value.arguments, *([value.base] if value.base is not None else []))
        case Object(members):
            inner = tuple(members.values())
        case Array():
            inner = value.items
    return not any(_stable(part, depth + 1) is False for part in inner)


def _parts(value: Value) -> list[str]:
    """What an id is made of, in a reader's words: constants quoted, the rest by its last names."""
    parts = value.parts if isinstance(value, Template) else (value,)
    return [mask_forms(f"'{part.value}'") if isinstance(part, Literal) else _named(part) for part in parts]


def _named(value: Value) -> str:
    if isinstance(value, External):
        text = value.path if value.package == "global" else ".".join(value.path.split(".")[-2:]) or value.package
    elif isinstance(value, Unknown) and not value.text:
        return "…"
    elif isinstance(value, Union):
        return _named(value.options[0])
    else:
        text = text_of(value)
    return text if len(text) <= 40 else text[:37] + "..."


def id_option(values: Sequence[Value]) -> Option:
    """`jobId` as the inventory shows it: `{deterministic, parts}`, unknown where determinism can't be told."""
    plain = option(values)
    if plain.state is OptionState.ABSENT:
        return ABSENT
    some = any(is_nothing(one) for value in values for one in options_of(value))
    verdict, parts = determinism(values)
    if some:
        return Option(
            OptionState.VARIES, values=({"deterministic": verdict, "parts": parts}, None), origin=plain.origin
        )
    if verdict is None:
        return Option(OptionState.UNKNOWN, origin=plain.origin, why=plain.why or "what it is made of can't be told")
    return Option(
        OptionState.KNOWN, {"deterministic": verdict, "parts": parts}, origin=plain.origin or _first_place(values)
    )


def _first_place(values: Sequence[Value]) -> CodeSpan | None:
    return next((span(where_of(part)) for value in values for part in walk(value) if where_of(part) is not None), None)


def names(value: Value) -> tuple[str, ...]:
    """The strings that a value may be; empty as soon as one is not known.

    An environment variable without a default stands for itself, `${MAIL_QUEUE}`: whoever reads it means the same.
    """
    found: dict[str, None] = {}
    for one in options_of(value):
        text = name_of(one)
        if text:
            found[text] = None
        elif not is_nothing(one):
            return ()
    return tuple(found)


def name_of(value: Value) -> str:
    """The string that one value is, settings standing for themselves; empty where it is not known."""
    match value:
        case Literal(str(text)):
            return text
        case Env(name):
            return f"${{{name}}}"
        case Template(parts) if all(isinstance(part, Env | Literal) for part in parts):
            return "".join(str(part.value) if isinstance(part, Literal) else name_of(part) for part in parts)
    return ""


def shapes(values: Iterable[Value]) -> tuple[str, ...]:
    """Names that are known in part, each unknown part as `*`: `*-emails`; those without a word of their own are left out."""
    found: dict[str, None] = {}
    for one in (each for value in values for each in options_of(value)):
        if isinstance(one, Template) and not name_of(one):
            found["".join(name_of(part) or "*" for part in one.parts)] = None
    return tuple(filter(_WORD.search, found))


def plain(options: Mapping[str, Option]) -> dict[str, Option]:
    """Options that are there, by name: absent ones are left out."""
    return {name: value for name, value in options.items() if value.state is not OptionState.ABSENT}
