"""A page of styled lines for a terminal, wrapped with a hanging indent."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING

from auditor.reporting import RenderOptions

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Page:
    """Collects styled lines through rich, wrapped with a hanging indent."""

    def __init__(self, options: RenderOptions) -> None:
        from rich.console import Console

        self.options = options
        self.buffer = StringIO()
        self.console: Console = Console(
            file=self.buffer, width=max(40, options.width), force_terminal=options.color, no_color=not options.color,
            color_system="standard" if options.color else None, highlight=False, markup=False, emoji=False, legacy_windows=False,
        )  # fmt: skip
        self.arrow = "←" if options.unicode else "<-"
        self.dot = " · " if options.unicode else ", "

    def line(self, indent: int, label: str, *parts: tuple[str, str]) -> None:
        """A line with a label column and styled parts; what does not fit goes below the parts."""
        from rich.padding import Padding
        from rich.table import Table

        grid = Table.grid(padding=0)
        grid.add_column(width=10, no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        grid.add_row(self._styled((label, "dim")), self._styled(*parts))
        self.console.print(Padding(grid, (0, 0, 0, indent)), soft_wrap=False)

    def title(self, *parts: tuple[str, str]) -> None:
        """A line of its own."""
        self.console.print(self._styled(*parts), soft_wrap=False, overflow="fold")

    def blank(self) -> None:
        """An empty line."""
        self.buffer.write("\n")

    def _styled(self, *parts: tuple[str, str]) -> Text:
        from rich.text import Text

        text = Text()
        for words, style in parts:
            text.append(clean(words), style=style if self.options.color else "")
        return text

    def text(self) -> str:
        """All lines; none ends in blanks."""
        lines = [line.rstrip() for line in self.buffer.getvalue().split("\n")]
        return "\n".join(lines).rstrip("\n") + "\n"


def clean(text: str) -> str:
    """Text of a scanned repository without what would steer a terminal."""
    return _CONTROL.sub("?", text).replace("\n", " ").replace("\t", " ")
