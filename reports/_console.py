"""A terminal page: text laid out by rich, plain to the last byte where colour is off."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditor.model import Severity
from auditor.reporting import RenderOptions

from ._prose import Block, Paragraph, Snippet, Span
from ._text import unheard
from ._words import MARKS, Shown

if TYPE_CHECKING:  # rich is loaded when a page is made, not when formats are listed
    from rich.text import Text

STYLES = {
    Shown.FAIL: "bold red",
    Shown.ERROR: "bold magenta",
    Shown.UNVERIFIED: "yellow",
    Shown.ATTESTED: "cyan",
    Shown.PASS: "green",
    Shown.NOT_APPLICABLE: "dim",
    Shown.SKIPPED: "dim",
}
SEVERITY_STYLES = {Severity.CRITICAL: "bold red", Severity.HIGH: "red", Severity.MEDIUM: "yellow", Severity.LOW: "dim"}

_PROSE = 108
"""Longest line of running text, in columns: longer ones are hard to read."""
_LINK_ID = re.compile(r"(\x1b\]8;)id=[^;]*;")
_ASCII = str.maketrans({"─": "-", "·": "|", "…": "~", "│": "|", "×": "x", "≥": ">", "→": ">"})


class Page:
    """Lines of a terminal report in the making; `text()` gives them."""

    def __init__(self, options: RenderOptions) -> None:
        from rich.console import Console

        self.options = options
        self.width = max(40, options.width)
        self._out = io.StringIO()
        self._console = Console(
            file=self._out,
            width=self.width,
            force_terminal=options.color,
            force_interactive=False,
            color_system="standard" if options.color else None,
            no_color=not options.color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
            _environ={},  # NO_COLOR, COLUMNS and the like were judged by the caller
        )

    def line(self, *parts: Text | str | tuple[str, str], indent: int = 0, hang: int = 0) -> None:
        """One paragraph, wrapped; later lines are indented by `hang` more. Parts are text, or (text, style)."""
        from rich.padding import Padding
        from rich.text import Text

        text = Text.assemble(*parts)
        room = min(self.width, _PROSE + indent) - indent
        lines = text.wrap(self._console, room) if not hang else _hanging(text, room, hang, self._console)
        for row in lines:
            row.rstrip()
            self._console.print(
                Padding(row, (0, 0, 0, indent), expand=False), no_wrap=True, overflow="ignore", crop=False
            )

    def cut(self, *parts: Text | str | tuple[str, str], indent: int = 0) -> None:
        """One line, cut at the edge."""
        from rich.text import Text

        text = Text.assemble(" " * indent, *parts)
        text.truncate(self.width, overflow="ellipsis")
        text.rstrip()
        self._console.print(text, no_wrap=True, overflow="ignore", crop=False)

    def ends(self, left: Text | str, right: Text | str, fill: str = " ", style: str = "dim") -> None:
        """Left and right on one line, `fill` between them; the right goes to its own line where there is no room."""
        from rich.text import Text

        head, tail = Text.assemble(left), Text.assemble(right)
        gap = self.width - head.cell_len - tail.cell_len - (2 if fill != " " else 0)
        if gap < 2:
            self.line(head)
            self.line(tail, indent=2)
            return
        self.cut(head, (" " + fill * gap + " " if fill != " " else " " * gap, style), tail)

    def blank(self) -> None:
        """An empty line."""
        self._console.print()

    def rule(self) -> None:
        """A line across."""
        self.cut(("─" * self.width, "dim"))

    def labelled(
        self, label: str, *parts: Text | str | tuple[str, str], indent: int, column: int = 11, style: str = "dim"
    ) -> None:
        """A paragraph with a label in a left column; an empty label leaves the column empty."""
        self.line((label.ljust(column), style), *parts, indent=indent, hang=column)

    def prose(self, texts: Iterable[Block], indent: int, label: str = "", column: int = 11) -> None:
        """Checklist text: paragraphs wrapped, snippets as they stand."""
        for block in texts:
            match block:
                case Paragraph(spans, bullet):
                    words = [self._span(span) for span in spans]
                    if bullet:
                        words.insert(0, ("- ", ""))
                    self.labelled(label, *words, indent=indent, column=column)
                case Snippet(_, lines):
                    for code in lines:
                        deep = column + 4 + len(code) - len(code.lstrip())  # what wraps goes on two columns further in
                        self.line((label.ljust(column + 2), "dim"), (code, "cyan"), indent=indent, hang=deep)
                        label = ""
            label = ""

    def _span(self, span: Span) -> tuple[str, str]:
        if self.options.color:
            return (span.text, "cyan" if span.code else "")
        return (f"`{span.text}`" if span.code else span.text, "")

    def text(self) -> str:
        """The page. Links lose the random ids that rich gives them, so that the same report gives the same bytes."""
        page = unheard(_LINK_ID.sub(r"\1;", self._out.getvalue()))
        if not self.options.color:
            page = "\n".join(row.rstrip() for row in page.split("\n"))
        return page if self.options.unicode else _plain(page)


def mark(status: Shown, options: RenderOptions, word: bool = True) -> tuple[str, str]:
    """A status as sign and word, with its style."""
    found = MARKS[status]
    sign = found.sign if options.unicode else found.plain
    return (f"{sign} {found.word}" if word else sign, STYLES[status])


def _hanging(text: Text, room: int, hang: int, console: object) -> list[Text]:
    """`text` wrapped to `room`, the first line full, the others indented by `hang`."""
    from rich.console import Console
    from rich.text import Text

    assert isinstance(console, Console)
    head, body = text[:hang], text[hang:]
    rows = list(body.wrap(console, max(16, room - hang))) or [Text()]
    return [Text.assemble(head if index == 0 else " " * hang, row) for index, row in enumerate(rows)]


def _plain(page: str) -> str:
    signs = str.maketrans({found.sign: found.plain for found in MARKS.values()})
    return page.translate(signs).translate(_ASCII)
