"""Makes docs/images: the demo's system scanned, its terminal report and its page, as a browser draws them.

`python -m tests.reports.screenshots`. Needs Chromium and a redis-server, as the tests do. Not part of any test.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright
from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from auditor import plugins
from auditor.demo.demo import SAMPLE
from auditor.demo.fill import filled
from auditor.demo.server import private_server
from auditor.demo.signals import interrupts
from auditor.live.address import parse
from auditor.model import Report
from auditor.reporting import RenderOptions
from auditor.scan import Request, scan
from tests.reports.conftest import ARGUMENTS, chromium

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COLUMNS = 116
HEAD, FAILURE = 31, 22
"""Lines shown of the top and of the failures."""

_THEME = TerminalTheme(
    (22, 24, 29),
    (215, 218, 224),
    [
        (22, 24, 29),
        (239, 107, 115),
        (126, 198, 153),
        (229, 181, 103),
        (108, 168, 240),
        (199, 146, 234),
        (99, 199, 199),
        (215, 218, 224),
    ],
    [
        (92, 99, 112),
        (255, 123, 131),
        (152, 216, 174),
        (240, 198, 116),
        (138, 190, 255),
        (214, 168, 245),
        (127, 222, 222),
        (255, 255, 255),
    ],
)
_WINDOW = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 28px; background: #e9eaec; width: max-content }
div { background: #16181d; border-radius: 12px; box-shadow: 0 18px 50px #0004; overflow: hidden }
p { margin: 0; height: 34px; background: #22252c; display: flex; gap: 8px; align-items: center; padding-left: 14px }
i { width: 12px; height: 12px; border-radius: 50%; background: #3a3f4a }
pre { margin: 0; padding: 16px 20px 22px; font: 14px/1.42 "DejaVu Sans Mono", Menlo, monospace; color: #d7dae0 }
a { color: inherit }
</style><div><p><i></i><i></i><i></i></p><pre>"""


def main() -> None:
    """Scan, render, draw."""
    report = _scanned()
    formats = plugins.formats()
    terminal = formats["terminal"].render(
        report, RenderOptions(width=COLUMNS, color=True, hyperlinks=True, base=str(SAMPLE))
    )
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page, window = Path(folder) / "report.html", Path(folder) / "terminal.html"
        page.write_text(formats["html"].render(report, RenderOptions(base=str(SAMPLE))), encoding="utf-8")
        window.write_text(_drawn(terminal), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        opened = browser.new_context(viewport={"width": 1280, "height": 1180}, device_scale_factor=1.5).new_page()
        opened.goto(page.as_uri())
        opened.screenshot(path=IMAGES / "report.png")
        opened.goto(window.as_uri())
        opened.locator("body").screenshot(path=IMAGES / "terminal.png")
        browser.close()


def _scanned() -> Report:
    """The demo's scan, started in the service's own folder; the private server's random folder is shown as /run."""
    with tempfile.TemporaryDirectory() as home, interrupts() as guard, private_server(guard) as socket, filled(socket):
        shutil.copytree(SAMPLE, home, dirs_exist_ok=True)
        os.chdir(home)
        url = parse(f"unix://{quote(str(socket))}")
        here = Path()
        report = scan(Request(redis=(url,), code=(here,), infra=(here,)), lambda _doing: None).report
    targets = report.targets
    shown = tuple(replace(target, url="unix:///run/redis.sock") for target in targets.redis)
    return replace(report, targets=replace(targets, redis=shown))


def _drawn(page: str) -> str:
    """The report's first lines and its worst failure in a terminal's window."""
    rows = list(AnsiDecoder().decode(page))
    start = next(place for place, row in enumerate(rows) if row.plain.startswith("Failures"))
    command = "tt-audit scan unix:///run/redis.sock --code . --infra . -o report.html"
    prompt = Text.assemble(("~/tickettoken", "bold green"), f" $ {command}")
    chosen = [prompt, *rows[:HEAD], Text(""), Text("  ⋮", "dim"), Text(""), *rows[start : start + FAILURE]]
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for row in chosen:
        console.print(row, no_wrap=True, overflow="ignore", crop=False)
    body = console.export_html(theme=_THEME, inline_styles=True, code_format="{code}")
    return f"{_WINDOW}{body}</pre></div>"


if __name__ == "__main__":
    main()
