"""How good an idempotency key is: the same on a retry, or new each time."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from auditor.code.model import Json, Option, OptionState

from ._options import choices, described


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
    """The key as a reader would describe it."""
    if key is None or key.state is OptionState.ABSENT:
        return "idempotency key: not set"
    made = [_parts(value) for value in choices(key)]
    return f"key made of {' or '.join(made)}" if made and all(made) else described("idempotency key", key)


def _quality(value: Json) -> KeyQuality:
    if value is None:
        return KeyQuality.MISSING
    if isinstance(value, Mapping) and "deterministic" in value:
        told = value["deterministic"]
        return KeyQuality.OPEN if told is None else KeyQuality.SAME if told else KeyQuality.RANDOM
    return KeyQuality.SAME


def _parts(value: Json) -> str:
    parts = value.get("parts") if isinstance(value, Mapping) else None
    return ", ".join(str(part) for part in parts) if isinstance(parts, tuple) else ""
