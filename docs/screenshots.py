"""Takes the README's pictures of the demo: docs/images/report.png and docs/images/terminal.png. Needs Chromium.

python docs/screenshots.py
"""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402 — a checkout need not be installed
from rich.console import Console  # noqa: E402
from rich.terminal_theme import MONOKAI  # noqa: E402
from rich.text import Text  # noqa: E402

from auditor import plugins  # noqa: E402
from auditor.demo.demo import PAGE, Rendered, run_demo  # noqa: E402
from auditor.live.address import parse  # noqa: E402
from auditor.reporting import RenderOptions  # noqa: E402
from auditor.scan import Request, scan  # noqa: E402

IMAGES = ROOT / "docs" / "images"
COLUMNS = 110
LINES = 60
"""Of the terminal report; the picture ends with the last whole block before."""


def main() -> None:
    """Run the demo once and photograph both of its reports."""
    IMAGES.mkdir(exist_ok=True)
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        printed: list[str] = []
        run_demo(Path(folder), _once, printed.append)
        drawing = Path(folder) / "terminal.svg"
        drawing.write_text(_drawn(printed[0]), encoding="utf-8")
        _photograph(Path(folder) / PAGE, IMAGES / "report.png", width=1280, height=900)
        _photograph(drawing, IMAGES / "terminal.png", width=1280, height=0)


def _once(redis_url: str, sample: Path) -> Rendered:
    here = sample.relative_to(ROOT)  # no path of this machine in a picture
    report = scan(Request(redis=(parse(redis_url),), code=(here,), infra=(here,))).report
    formats = plugins.formats()
    return Rendered(
        _without_folder(formats["terminal"].render(report, RenderOptions(width=COLUMNS, color=True))),
        _without_folder(formats["html"].render(report, RenderOptions(verbose=True))),
    )


def _without_folder(text: str) -> str:
    """The report with its throw-away socket's name cut short."""
    return re.sub(r"unix:///[^ \x1b<\"']*/tt-audit-demo-[^/]*/", "unix:///run/", text)


def _drawn(text: str) -> str:
    lines = text.splitlines()[:LINES]
    last_gap = max(number for number, line in enumerate(lines) if not line.strip())
    console = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ tt-audit demo"))
    console.print(Text.from_ansi("\n".join(lines[:last_gap])))
    # the web fonts that the drawing would load are left out: the picture is taken without a network
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="tt-audit demo", theme=MONOKAI), flags=re.S)


def _photograph(page: Path, image: Path, *, width: int, height: int) -> None:
    """A picture of the page's first `height` pixels, or of a whole drawing where height is 0."""
    chromium = next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": height or 800}, device_scale_factor=1.5)
        if height:
            tab.goto(page.as_uri())
            tab.screenshot(path=image)
        else:
            tab.set_content(
                f"<style>body {{ margin: 0 }} svg {{ width: {width}px }}</style>{page.read_text(encoding='utf-8')}"
            )
            tab.locator("svg").first.screenshot(path=image)
        browser.close()


if __name__ == "__main__":
    main()
