"""Formats, the sample report, and a browser for the page."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from auditor import plugins
from auditor.model import Report
from auditor.reporting import RenderOptions, ReportFormat
from tests.reports import sample

_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str | None:
    """The first Chromium on PATH."""
    return next((path for name in _CHROMIUMS if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def report() -> Report:
    return sample.report()


@pytest.fixture(scope="session")
def formats() -> dict[str, ReportFormat]:
    return plugins.formats()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = chromium()
    if found is None:
        pytest.skip("no Chromium on PATH (apt install chromium): the HTML page was not opened")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))
        except Error as error:
            pytest.skip(f"{found} does not start: {error.message.splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture(scope="session")
def page_file(report: Report, formats: dict[str, ReportFormat], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on disk, as a person opens it."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(formats["html"].render(report, RenderOptions()), encoding="utf-8")
    return path
