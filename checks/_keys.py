"""How good an idempotency key is: the same on a retry, or new each time."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from auditor.code.model import Json, Option, OptionState

from ._options import choices


class KeyQuality(Enum):
    """What a retry makes of a key."""

    SAME = "same"
    RANDOM = "random"
    MISSING = "missing"
    OPEN = "open"


def key_quality(key: Option | None) -> KeyQuality:
    """The worst of what the key can be; OPEN where it could not be resolved."""
    if key is None or key.state is OptionState.UNKNOWN:
        return KeyQuality.OPEN
    each = [_quality(value) for value in choices(key)]
    for worst in (KeyQuality.MISSING, KeyQuality.RANDOM, KeyQuality.OPEN):
        if worst in each:
            return worst
    return KeyQuality.SAME


def key_told(key: Option | None) -> str:
    """The key as a reader would describe it, branch by branch."""
    made = choices(key) if key is not None else ()
    if key is None or (made and not any(made)):
        return "idempotency key: not set"
    if key.state is OptionState.UNKNOWN or not all(_parts(value) for value in made if value):
        return f"idempotency key: not resolved ({key.why or 'it is made at run time'})"
    told = f"key made of {' or '.join(_parts(value) for value in made if value)}"
    return told if all(made) else f"{told} in one branch, none in another"


def key_fault(key: Option | None) -> str:
    """What is wrong with a key that is MISSING or RANDOM, and in which branch, where it is right in others."""
    made = choices(key) if key is not None else ()
    bad = [value for value in made if _quality(value) is key_quality(key)]
    partly = len(bad) < len(made)
    if key_quality(key) is KeyQuality.MISSING:
        where = f" where {key.why}" if key is not None and key.why else " in one of its branches"
        return "no idempotency key" + (where if partly else "")
    return f"{'in one branch ' if partly else ''}a key that a retry makes anew (key made of {' or '.join(map(_parts, bad))})"


def _quality(value: Json) -> KeyQuality:
    if value is None:
        return KeyQuality.MISSING
    if isinstance(value, Mapping) and "deterministic" in value:
        told = value["deterministic"]
        return KeyQuality.OPEN if told is None else KeyQuality.SAME if told else KeyQuality.RANDOM
    return KeyQuality.SAME


def _parts(value: Json) -> str:
    if not isinstance(value, Mapping):
        return ""
    parts, random = value.get("parts"), _quality(value) is KeyQuality.RANDOM
    return (", ".join(map(str, parts)) if isinstance(parts, tuple) else "") or ("clock or chance" if random else "")
