"""What a report format is: a name, the file endings it answers to, and a pure function from a report to text.

A module in `reports/` (or in a user's plugin folder) holds one `ReportFormat` value; `plugins.formats()` collects them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from auditor.errors import UsageError
from auditor.model import Report


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How a report is to be shown; each format takes what concerns it and ignores the rest."""

    width: int = 100
    """Columns of the terminal."""
    color: bool = False
    """Colours and weights; off where the output is no terminal or NO_COLOR is set."""
    unicode: bool = True
    """Off where the output's encoding cannot hold ✓ and ✗: marks and rules are then ASCII."""
    quiet: bool = False
    """The verdict and one line a failure."""
    verbose: bool = False
    """Evidence of what passed too, every finding in full, files that were skipped."""
    hyperlinks: bool = False
    """OSC-8 links on places; only together with `color`."""
    base: str = ""
    """Absolute directory that relative paths are opened from; empty: no links to local files."""
    source_url: str = ""
    """Web address of a source line, with `{path}`, `{line}` and `{commit}`: `https://github.com/o/r/blob/{commit}/{path}#L{line}`."""


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """A way to write a report. `suffixes` are file endings, with the dot; a format without any is for stdout alone."""

    name: str
    suffixes: tuple[str, ...]
    render: Callable[[Report, RenderOptions], str]
    """Pure: the same report and options give the same text. The text ends in a newline."""


def format_of(path: str, formats: Mapping[str, ReportFormat]) -> ReportFormat:
    """The format that a file's ending asks for; the longest ending wins (`.sarif.json` over `.json`).

    Raises UsageError for an ending that no format has.
    """
    name = path.lower()
    fitting = [(len(suffix), found) for found in formats.values() for suffix in found.suffixes if name.endswith(suffix)]
    if not fitting:
        raise UsageError(
            f"-o {path}: no report format has this ending", f"known endings: {', '.join(endings(formats.values()))}"
        )
    return max(fitting, key=lambda pair: pair[0])[1]


def endings(formats: Iterable[ReportFormat]) -> list[str]:
    """All file endings, in order, for help and messages."""
    return sorted({suffix for found in formats for suffix in found.suffixes})
