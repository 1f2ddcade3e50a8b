"""One self-contained page: no network, readable without script, with script a filter over all items."""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from pathlib import Path

from auditor.model import Report, Severity, Status
from auditor.reporting import RenderOptions, ReportFormat

from ._build import view
from ._groups import alike, by_file, named
from ._links import is_web, web_url
from ._prose import spans
from ._text import counted, shorten
from ._words import CAUSES, MARKS, Shown

_TEMPLATES = Path(__file__).parent / "templates"
_MOST = 200
"""Findings of one item on the page: a browser must still open it when there are thousands."""
_OPTION = 48
"""Longest name in a list of choices, in characters."""


def render(report: Report, options: RenderOptions) -> str:
    """The page. Its only style and script are inline and allowed by hash; everything else is forbidden to load."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    style, script = _asset("report.css"), _asset("report.js")
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "is_web": is_web,
        "web_url": partial(web_url, report=report, options=options),
        "alike": alike,
        "by_file": by_file,
        "told_apart": named,
        "counted": counted,
        "shorten": shorten,
        "spans": spans,
    }
    shown = view(report)
    present = [status for status in Shown if any(item.status is status for item in shown.items)]
    own = [item for item in shown.failures if item.number is not None]
    services = sorted(
        {service.name for service in shown.services} | {name for item in shown.items for name in item.services}
    )
    return environment.get_template("report.html").render(
        report=shown,
        # our own files, which hold neither `</style` nor `</script`
        style=Markup(style),
        script=Markup(script),
        policy=_policy(style, script),
        own=len(report.results),
        most=_MOST,
        marks=MARKS,
        causes=CAUSES,
        statuses=present,
        by_status={status.value: number for status, number in report.summary.by_status.items()},
        failing_by_severity=[(severity, sum(item.worst is severity for item in own)) for severity in Severity],
        extra_failing=len(shown.failures) - len(own),
        waived=len(shown.waived),
        unverified=report.summary.by_status.get(Status.UNVERIFIED, 0),
        choices=[
            ("section", "Section", [(section.anchor, section.title) for section in shown.sections]),
            ("service", "Service", [(name, shorten(name, _OPTION)) for name in services]),
            ("queue", "Queue", [(name, shorten(name, _OPTION)) for name in shown.queues]),
        ],
        status_chips=[(status.value, MARKS[status].word, True) for status in present],
        severity_chips=[(severity.value, severity.value, False) for severity in Severity],
    )


FORMAT = ReportFormat("html", (".html", ".htm"), render)


def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
