"""--only and --skip: ids, numbers, ranges, sections."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from auditor.errors import UsageError
from auditor.model import Item

_RANGE = re.compile(r"(?:TT)?0*([0-9]{1,3})(?:-(?:TT)?0*([0-9]{1,3}))?", re.IGNORECASE)
_IDS = re.compile(r"([A-Z]+)0*([0-9]+)-(?:([A-Z]+))?0*([0-9]+)", re.IGNORECASE)


def selector(items: Iterable[Item], only: Iterable[str], skip: Iterable[str]) -> Callable[[Item], bool]:
    """Whether an item is chosen. Each word: `88`, `TT088`, `88-95`, `X016-X025`, a section's title, comma-separated.

    Raises UsageError for a word that names nothing.
    """
    known = list(items)
    wanted = _chosen(known, only)
    unwanted = _chosen(known, skip) or set()
    return lambda item: (wanted is None or item.id in wanted) and item.id not in unwanted


def _chosen(items: list[Item], words: Iterable[str]) -> set[str] | None:
    parts = [part.strip() for word in words for part in word.split(",") if part.strip()]
    if not parts:
        return None
    chosen: set[str] = set()
    for part in parts:
        matching = find(items, part)
        if not matching:
            sections = ", ".join(dict.fromkeys(item.section for item in items))
            raise UsageError(
                f"{part!r} names no item",
                f"give a number (88), an id (TT088), a range (88-95, X016-X025) or a section ({sections})",
            )
        chosen |= {item.id for item in matching}
    return chosen


def find(items: Iterable[Item], word: str) -> list[Item]:
    """Items that a word names: by id, number, range or section title."""
    known = list(items)
    exact = [item for item in known if item.id.lower() == word.lower()]
    if exact:
        return exact
    span = _RANGE.fullmatch(word)
    if span:
        first, last = int(span[1]), int(span[2] or span[1])
        return [item for item in known if item.number is not None and first <= item.number <= last]
    ids = _IDS.fullmatch(word)
    if ids and (ids[3] or ids[1]).upper() == ids[1].upper():
        return [
            item for item in known if (at := _numbered(item, ids[1])) is not None and int(ids[2]) <= at <= int(ids[4])
        ]
    return [item for item in known if item.section.lower() == word.lower()]


def _numbered(item: Item, letters: str) -> int | None:
    """The number in an id of these letters: 16 of `X016`; None where the id is of another pack."""
    digits = item.id[len(letters) :]
    return int(digits) if item.id.upper().startswith(letters.upper()) and digits.isdigit() else None


def search(items: Iterable[Item], word: str) -> list[Item]:
    """Items that `explain` may mean: as `find`, else those whose probe or title holds the word."""
    known = list(items)
    needle = word.lower()
    return (
        find(known, word)
        or [item for item in known if needle == item.probe.lower()]
        or [item for item in known if needle in f"{item.probe} {item.title}".lower()]
    )
