"""The gate's reasons, told in few lines: it gives one an item, a reader wants one a kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from auditor.model import Severity

from ._text import bounded, counted

_FINDINGS = re.compile(r"(\d+) findings?, (\w+)")
_NAMED = 8
"""Ids that a line names before it counts the rest."""


def condense(lines: Iterable[str], items: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """`lines` with those about an item (`TT001 title: 3 findings, high`) gathered by what they say of it.

    `items` are ids with titles. Findings come first, from the worst severity on; then the others in their order.
    """
    titles = dict(items)
    gathered: dict[str, list[tuple[str, int]]] = {}
    for line in lines:
        item_id, said = _about(line, titles)
        found = _FINDINGS.fullmatch(said) if item_id else None
        if found:
            gathered.setdefault(f"{found.group(2)} finding", []).append((item_id, int(found.group(1))))
        else:
            gathered.setdefault(said, []).append((item_id, 0))
    worst = {f"{severity} finding": place for place, severity in enumerate(Severity)}
    kinds = sorted(gathered.items(), key=lambda pair: worst.get(pair[0], len(worst)))
    return tuple(_told(said, about) for said, about in kinds)


def named(ids: Sequence[str], limit: int = _NAMED) -> str:
    """`TT001, TT002 and 7 more`."""
    rest = len(ids) - limit
    return ", ".join(ids[:limit]) + (f" and {rest} more" if rest > 0 else "")


def _about(line: str, titles: dict[str, str]) -> tuple[str, str]:
    item_id = re.split(r"[: ]", line, maxsplit=1)[0]
    if item_id not in titles:
        return "", line
    return item_id, line.removeprefix(item_id).removeprefix(f" {titles[item_id]}").removeprefix(":").strip()


def _told(said: str, about: list[tuple[str, int]]) -> str:
    ids = [item_id for item_id, _ in about if item_id]
    number = sum(count for _, count in about)
    if number:
        return f"{counted(number, said)}: {named(ids)}"
    return bounded(said, 400) if not ids else f"{bounded(said, 400)} ({named(ids)})"
