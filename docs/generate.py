"""Writes docs/items.md from checklist.yaml and the probes' docstrings (`make docs`); a test compares the two."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from auditor import checklist, plugins  # noqa: E402 — a checkout need not be installed
from auditor.model import Item  # noqa: E402  # the checkout goes onto the path first
from auditor.probes import Probe  # noqa: E402  # the checkout goes onto the path first

PAGE = ROOT / "docs" / "items.md"

SOURCE_NAMES = {
    "code": "code",
    "live": "live Redis",
    "infra": "infra files",
    "prom": "Prometheus, rules and dashboards",
}

HEAD = """\
# The items

<!-- Written by docs/generate.py from checklist.yaml and the probes. Do not edit: `make docs`. -->

What each item asks, how it is decided, what goes wrong without it, and how to mend it. `tt-audit explain TT088` prints
the same for one item. The titles of TT001 to TT102 and their order are the audit document's; items whose id begins with X
go beyond it, are shown apart, and are not counted among the 102. Thresholds can be changed in
[tt-audit.yaml](configuration.md).
"""


def page() -> str:
    """The whole text of docs/items.md."""
    probes = plugins.probes()
    items = [entry.item for entry in checklist.load().entries]
    sections = [(title, list(group)) for title, group in groupby(items, key=lambda item: item.section)]
    return "\n".join(
        [HEAD, *_contents(sections), *(line for title, group in sections for line in _section(title, group, probes))]
    )


def _contents(sections: list[tuple[str, list[Item]]]) -> Iterator[str]:
    yield "| section | items |"
    yield "|---|---|"
    for title, group in sections:
        links = " ".join(f"[{item.id}](#{item.id.lower()})" for item in group)
        yield f"| [{title}](#{_anchor(title)}) | {links} |"
    yield ""


def _section(title: str, items: list[Item], probes: dict[str, Probe]) -> Iterator[str]:
    yield f"## {title}\n"
    for item in items:
        yield from _item(item, probes.get(item.probe))


def _item(item: Item, probe: Probe | None) -> Iterator[str]:
    yield f'<a id="{item.id.lower()}"></a>\n'
    yield f"### {item.id} {item.title}\n"
    facts = [f"**{item.severity}**", f"probe `{item.probe}`"]
    if probe is not None:
        facts.append("from " + ", ".join(SOURCE_NAMES[name] for name in probe.sources))
    if item.params:
        facts.append("set to " + ", ".join(f"`{name}: {value}`" for name, value in item.params.items()))
    yield " · ".join(facts) + "\n"
    yield f"{item.why}\n"
    if probe is not None and probe.doc:
        yield f"*How it is decided.* {probe.doc}\n"
    yield f"*How to mend it.* {item.fix}\n"
    yield "See " + ", ".join(f"<{one}>" if one.startswith("http") else one for one in item.references) + ".\n"


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")  # noqa: T201  # this prints to the person
