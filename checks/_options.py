"""How an option reads: its possible values, where they come from, how sure they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from auditor.code.model import ABSENT, Json, Option, OptionState
from auditor.model import CodeSpan, Confidence


def option(options: Mapping[str, Option], name: str) -> Option:
    """The option of that name; ABSENT where the mapping lacks it."""
    return options.get(name, ABSENT)


def settled(found: Option) -> bool:
    """Whether every value that it can have is known, absence included."""
    return found.state is not OptionState.UNKNOWN


def choices(found: Option) -> tuple[Json, ...]:
    """Every value it can have; None stands for absent. Empty where it is unknown."""
    match found.state:
        case OptionState.ABSENT:
            return (None,)
        case OptionState.KNOWN:
            return (found.value,)
        case OptionState.VARIES:
            return found.values
        case OptionState.UNKNOWN:
            return ()


def number(value: Json) -> float | None:
    """The value as a number; None for anything else, booleans included."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def numbers(found: Option) -> tuple[float, ...] | None:
    """All its values as numbers; None unless every one is known to be a number."""
    read = [number(value) for value in choices(found)]
    return tuple(n for n in read if n is not None) if read and None not in read else None


def shown(value: Json) -> str:
    """A value as a reader would write it."""
    if value is None:
        return "unset"
    return json.dumps(_plain(value), ensure_ascii=False)


def described(name: str, found: Option) -> str:
    """`attempts: 3, from src/defaults.ts:12 through src/queues/index.ts:40`."""
    match found.state:
        case OptionState.ABSENT:
            return f"{name}: not set"
        case OptionState.UNKNOWN:
            return f"{name}: not resolved ({found.why or 'its value is made at run time'})"
        case OptionState.VARIES:
            values = " or ".join(shown(value) for value in found.values)
            return f"{name}: {values}{_way(found)}"
        case OptionState.KNOWN:
            return f"{name}: {'null' if found.value is None else shown(found.value)}{_way(found)}"


def sureness(found: Option, site: CodeSpan) -> Confidence:
    """CERTAIN for a value written at the site itself (or not at all), LIKELY for one that flow brought there."""
    if found.state is OptionState.ABSENT:
        return Confidence.CERTAIN
    near = found.origin is None or (
        found.origin.path == site.path and site.start <= found.origin.start <= max(site.end, site.start)
    )
    return Confidence.CERTAIN if near and not found.via else Confidence.LIKELY


def places(*found: Option) -> tuple[CodeSpan, ...]:
    """Where the options are written and what they went through, without repeats."""
    spans: list[CodeSpan] = []
    for each in found:
        spans += [each.origin] if each.origin else []
        spans += each.via
    return tuple(dict.fromkeys(spans))


def labels(spans: Iterable[CodeSpan], most: int = 3) -> str:
    """`a.ts:1, b.ts:2 and 4 more`."""
    named = [span.label() for span in dict.fromkeys(spans)]
    more = len(named) - most
    return ", ".join(named[:most]) + (f" and {more} more" if more > 0 else "")


def _way(found: Option) -> str:
    way = f", from {found.origin.label()}" if found.origin else ""
    return way + (f" through {labels(found.via)}" if found.via else "")


def _plain(value: Json) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
