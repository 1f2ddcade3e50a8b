"""Every format against its stored output. `TT_AUDIT_SNAPSHOTS=write pytest tests/reports` writes them anew."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from auditor.model import Report, Status
from auditor.reporting import RenderOptions, ReportFormat
from tests.reports import sample

SNAPSHOTS = Path(__file__).parent / "snapshots"
_URL = "https://github.test/o/r/blob/{commit}/{path}#L{line}"

CASES = {
    "terminal.txt": ("terminal", RenderOptions(width=100)),
    "terminal-80.txt": ("terminal", RenderOptions(width=80)),
    "terminal-160.txt": ("terminal", RenderOptions(width=160)),
    "terminal-quiet.txt": ("terminal", RenderOptions(quiet=True)),
    "terminal-verbose.txt": ("terminal", RenderOptions(width=120, verbose=True)),
    "terminal-ascii.txt": ("terminal", RenderOptions(width=80, unicode=False, quiet=True)),
    "terminal-color.txt": ("terminal", RenderOptions(width=100, color=True, hyperlinks=True, base="/srv/app")),
    "report.json": ("json", RenderOptions()),
    "report.md": ("markdown", RenderOptions(source_url=_URL)),
    "report.junit.xml": ("junit", RenderOptions()),
    "report.sarif": ("sarif", RenderOptions()),
    "github.txt": ("github", RenderOptions()),
    "report.body.html": ("html", RenderOptions(source_url=_URL)),
}


@pytest.mark.parametrize("name", CASES)
def test_format_gives_its_snapshot(name: str, report: Report, formats: dict[str, ReportFormat]) -> None:
    format_name, options = CASES[name]
    text = formats[format_name].render(report, options)
    if format_name == "html":
        text = _without_assets(text)
    elif options.color:
        text = text.replace("\x1b", "␛")  # so that the file can be read
    stored = SNAPSHOTS / name
    if os.environ.get("TT_AUDIT_SNAPSHOTS") == "write":
        stored.parent.mkdir(exist_ok=True)
        stored.write_text(text, encoding="utf-8")
    assert text == stored.read_text(encoding="utf-8"), f"{name} differs: see the docstring above if that is meant"


@pytest.mark.parametrize("name", CASES)
def test_rendering_is_pure(name: str, report: Report, formats: dict[str, ReportFormat]) -> None:
    format_name, options = CASES[name]
    render = formats[format_name].render
    assert render(report, options) == render(sample.report(), options)


@pytest.mark.parametrize("format_name", ["terminal", "html", "json", "markdown", "junit", "sarif", "github"])
def test_every_format_ends_in_one_newline_and_names_each_failure(
    format_name: str, report: Report, formats: dict[str, ReportFormat]
) -> None:
    text = formats[format_name].render(report, RenderOptions())
    assert text.endswith("\n") and not text.endswith("\n\n")
    failing = [result for result in (*report.results, *report.extra) if result.verdict.status is Status.FAIL]
    assert len(failing) == 5
    for result in failing:
        assert result.item.id in text


def _without_assets(page: str) -> str:
    """The page without its style, script and their hashes, which have tests of their own, and without blank lines."""
    page = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", page, flags=re.DOTALL)
    page = re.sub(r"sha256-[A-Za-z0-9+/=]+", "sha256-…", page)
    return re.sub(r"\n\s*\n", "\n", page)
