"""Any text whatever in every field of a finding: no format breaks, obeys it or lets it through raw."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from auditor import plugins
from auditor.model import CodeSpan, Evidence, Finding, Status, Subject, SubjectType, Verdict, Waiver
from auditor.reporting import RenderOptions
from tests.reports import sample

_FORMATS = plugins.formats()
_NASTY = st.sampled_from(
    [
        "<script>",
        "</script>",
        "-->",
        "]]>",
        "::error::",
        "##[error]",
        "\x1b[2J",
        "\x9b",
        "\u202e",
        "�",
        "\x00",
        "```",
        "`",
        "|",
        "{{",
        "{%",
        "%0A",
        "@here",
        "https://x.test",
        "</details>",
        "\\",
        '"',
        "'",
        "&lt;",
        "\u2060",
        "=",
        "#",
        "\n",
        "\r",
        "\u2028",
    ]
)
_TEXTS = st.lists(st.one_of(_NASTY, st.text(max_size=8)), max_size=12).map("".join)


class _Tags(HTMLParser):
    """Names of all elements."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)


def _tags(page: str) -> set[str]:
    parser = _Tags()
    parser.feed(page)
    return parser.names


_OWN = _tags(_FORMATS["html"].render(sample.report(), RenderOptions()))
"""What our templates are made of; the sample's hostile names hold `<x/>`."""


def test_our_own_elements_are_known() -> None:
    assert "x" not in _OWN and {"details", "script", "main"} <= _OWN


# no shrinking: an example renders seven reports, and any failing one shows the hole
@settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
@given(text=_TEXTS, line=st.integers(0, 99), color=st.booleans(), width=st.integers(40, 130))
def test_no_text_breaks_a_format(text: str, line: int, color: bool, width: int) -> None:
    evidence = Evidence(text, text, text, CodeSpan(text, max(1, line)), excerpt=text)
    finding = Finding(
        text,
        Subject(SubjectType.QUEUE, text, text, text),
        CodeSpan(text, max(1, line)),
        (CodeSpan(text, 1),),
        (evidence,),
        fix=text,
    )
    made = sample.result(
        1, Verdict(Status.FAIL, text, findings=(finding, finding)), waivers={1: Waiver(text, text, text)}
    )
    whole = sample.report()
    report = replace(
        whole,
        results=(made,),
        extra=(),
        services={text: whole.summary, "b": whole.summary},
        sources=tuple(replace(source, why=text) for source in whole.sources),
        gate=replace(whole.gate, policy=text, because=(text, f"TT001 {text}")),
    )
    shown = {
        name: found.render(report, RenderOptions(color=color, width=width, verbose=True, base="/srv", hyperlinks=True))
        for name, found in _FORMATS.items()
    }
    for name, page in shown.items():
        page.encode("utf-8")
        bare = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\", "", page) if name == "terminal" else page
        raw = {character for character in bare if not character.isprintable()} - {"\n"}
        assert not raw, (name, raw)
    json.loads(shown["json"])
    json.loads(shown["sarif"])
    ElementTree.fromstring(shown["junit"])
    assert _tags(shown["html"]) <= _OWN, _tags(shown["html"]) - _OWN
    assert shown["html"].count("<script>") == 1
    commands = [row for row in shown["github"].splitlines() if row.lstrip().startswith("::")]
    assert len(commands) == 1
    assert not re.search(r"##\w*\[", "\n".join(row for row in shown["github"].splitlines() if row not in commands))
