"""What `tt-audit list` and `tt-audit explain` print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.model import Item
from auditor.probes import Probe
from auditor.reporting import RenderOptions

from ._console import SEVERITY_STYLES, Page
from ._prose import blocks
from ._text import clean, counted
from ._words import SOURCES

_ID, _SEVERITY, _PROBE, _SOURCE = 7, 10, 32, 24
_WIDE = 120
"""From this many columns on, probe and sources have columns of their own; below, the sources alone."""


def render_list(items: Iterable[Item], probes: Mapping[str, Probe], options: RenderOptions | None = None) -> str:
    """All items by section, one line each: id, severity, title, what it is decided from, and (on wide terminals) the probe."""
    page, found = Page(options or RenderOptions()), list(items)
    section = ""
    for item in found:
        if item.section != section:
            if section:
                page.blank()
            section = item.section
            page.cut((clean(section), "bold"), (" (extra, not counted)" if item.number is None else "", "dim"))
        probe = probes.get(item.probe)
        _line(item, ", ".join(_title(source) for source in probe.sources) if probe else "", page)
    page.blank()
    extra = sum(item.number is None for item in found)
    total = counted(len(found) - extra, "item") + (f" and {extra} extra" if extra else "")
    page.line((f"{total}. tt-audit explain 88 tells one in full.", "dim"))
    return page.text()


def render_explain(item: Item, probe_doc: str, sources: Iterable[str], options: RenderOptions | None = None) -> str:
    """One item in full: what it asks, why, how it is decided, how to fix it, where to read on."""
    page = Page(options or RenderOptions())
    page.line((f"{clean(item.id)}  ", "dim"), (clean(item.title), "bold"), hang=7)
    about = [
        (item.severity.value, SEVERITY_STYLES[item.severity]),
        (f" · {clean(item.section)} · {clean(item.probe)}", "dim"),
    ]
    page.line(*about, indent=7)
    read = ", ".join(_title(source) for source in sources)
    for heading, text in (("Why", item.why), ("How it is decided", probe_doc), ("How to fix it", item.fix)):
        if not text.strip():
            continue
        page.blank()
        page.line((heading, "bold"), *((f" (from {read})", "dim"),) if heading == "How it is decided" and read else ())
        page.prose(blocks(text), 2, column=0)
    if item.references:
        page.blank()
        page.line(("Read on", "bold"))
        for reference in item.references:
            page.line(clean(reference), indent=2)
    return page.text()


def _line(item: Item, sources: str, page: Page) -> None:
    from rich.text import Text

    wide = page.width >= _WIDE
    room = page.width - 2 - _ID - _SEVERITY - _SOURCE - (_PROBE if wide else 0)
    title = Text(clean(item.title))
    title.truncate(room - 2, overflow="ellipsis", pad=True)
    severity = (item.severity.value.ljust(_SEVERITY), SEVERITY_STYLES[item.severity])
    probe = [(clean(item.probe).ljust(_PROBE), "dim")] if wide else []
    page.cut((clean(item.id).ljust(_ID), "dim"), severity, title, "  ", *probe, (sources, "dim"), indent=2)


def _title(source: str) -> str:
    return SOURCES.get(source, clean(source))
