"""Runs the demo: server, queues, scan, reports, and nothing left behind but the HTML page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from auditor.demo.fill import filled
from auditor.demo.server import private_server
from auditor.demo.signals import interrupts
from auditor.errors import UsageError

SAMPLE = Path(__file__).parent / "sample"
"""The service that is scanned beside the queues; nothing of it is ever run."""

PAGE = "tt-audit-report.html"
"""Name of the page that the demo leaves in the folder it was started in."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The two texts that a demo scan gives."""

    terminal: str
    html: str


class Scan(Protocol):
    """The lead's part: scan one Redis and one folder (as code and as infra), and render for terminal and browser."""

    def __call__(self, redis_url: str, sample: Path) -> Rendered:
        """Scan and render; raises AuditError."""


def run_demo(
    out_dir: Path, scan: Scan, echo: Callable[[str], None], note: Callable[[str], None] = lambda _text: None
) -> int:
    """Start a private server, fill it, scan it with the sample service, print the report, write `out_dir`/tt-audit-report.html.

    `scan` is called once with a `unix://` URL and the sample's folder. `echo` gets the terminal report (standard output),
    `note` gets progress (standard error). Gives 0, whatever the scan found. Ctrl-C, SIGTERM and SIGHUP end it as
    KeyboardInterrupt, after the server is stopped and its folder removed. Raises SourceError where no server starts,
    UsageError where the page cannot be written.
    """
    if not out_dir.is_dir():
        raise UsageError(f"--dir {out_dir}: no such folder", "make it first, or leave --dir away")
    with interrupts() as guard:
        note("starting a private Redis")
        with private_server(guard) as socket_path, filled(socket_path) as counts:
            note(f"filled {len(counts)} queues with {sum(counts.values())} jobs")
            rendered = scan(f"unix://{quote(str(socket_path))}", SAMPLE)
        page = out_dir / PAGE
        try:
            page.write_text(rendered.html, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{page} cannot be written: {error.strerror}", "give another folder with --dir") from error
    echo(rendered.terminal)
    note(f"wrote {page}")
    return 0
