"""What the view gathers, folds and sorts."""

from __future__ import annotations

from dataclasses import replace

from auditor import plugins
from auditor.model import Cause, Evidence, Severity, Status, Verdict, Waiver
from auditor.reporting import RenderOptions
from tests.reports import sample

plugins.mount("reports")

from auditor.reports._because import condense  # noqa: E402
from auditor.reports._build import view  # noqa: E402
from auditor.reports._prose import Paragraph, Snippet, blocks  # noqa: E402
from auditor.reports._words import Shown  # noqa: E402


def test_every_item_is_shown_once_or_folded_once() -> None:
    for section in view(sample.report()).sections:
        told = [item.id for item in section.shown] + [item.id for fold in section.folds for item in fold.items]
        assert sorted(told) == sorted(item.id for item in section.items)


def test_checks_that_broke_for_one_reason_fold_and_others_do_not() -> None:
    def broken(number: int, why: str) -> object:
        return sample.result(number, Verdict(Status.ERROR, why))

    made = view(replace(sample.report(), results=(broken(1, "a"), broken(2, "b"), broken(3, "a")), extra=()))  # type: ignore[arg-type]
    (section,) = made.sections
    assert [item.id for item in section.shown] == ["TT002"]
    assert [(fold.status, fold.ids, fold.reasons) for fold in section.folds] == [(Shown.ERROR, "1, 3", ("a",))]
    assert len(made.errors) == 3


def test_an_unverified_item_with_findings_is_never_folded() -> None:
    finding = sample.producer("x", 1, status=Status.UNVERIFIED)
    made = sample.result(1, Verdict(Status.UNVERIFIED, "r", cause=Cause.SOURCE_NOT_GIVEN, findings=(finding,)))
    (section,) = view(replace(sample.report(), results=(made,), extra=())).sections
    assert [item.id for item in section.shown] == ["TT001"]


def test_a_waived_item_is_no_failure_but_a_half_waived_one_is() -> None:
    made = view(sample.report())
    assert [item.id for item in made.waived] == ["TT092"]
    assert [item.id for item in made.failures] == ["TT088", "TT001", "X001", "TT039"]


def test_waived_findings_do_not_set_the_severity_that_sorts() -> None:
    low = sample.producer("low", 2, severity=Severity.LOW)
    critical = sample.producer("critical", 1, severity=Severity.CRITICAL)
    waiver = Waiver("r", "b", "2027-01-01")
    result = sample.result(1, Verdict(Status.FAIL, "r", findings=(critical, low)), waivers={0: waiver})
    (item,) = view(replace(sample.report(), results=(result,), extra=())).failures
    assert item.worst is Severity.LOW
    assert [finding.subject for finding in item.failing] == ["payments.add('low')", "payments.add('critical')"]


def test_the_gates_reasons_are_gathered_by_kind() -> None:
    items = [(f"TT{number:03}", f"Title {number}: with colon") for number in range(1, 103)]
    lines = [f"{name} {title}: 2 findings, high" for name, title in items[:12]]
    lines += [f"{items[20][0]} {items[20][1]}: 1 finding, critical", "score 40 is below 80"]
    lines += [f"{name} {title}: unverified" for name, title in items[30:32]]
    lines += [f"{name}: the code collector broke" for name, _ in items[40:42]]
    assert condense(lines, items) == (
        "1 critical finding: TT021",
        "24 high findings: TT001, TT002, TT003, TT004, TT005, TT006, TT007, TT008 and 4 more",
        "score 40 is below 80",
        "unverified (TT031, TT032)",
        "the code collector broke (TT041, TT042)",
    )


def test_prose_keeps_snippets_and_joins_lines() -> None:
    text = "One\nparagraph with `code`.\n\n- first\n  goes on\n- second\n\n  ```ts\n  a\n    b\n  ```\nend"
    read = blocks(text)
    assert [type(block) for block in read] == [Paragraph, Paragraph, Paragraph, Snippet, Paragraph]
    first, bullet, _, snippet, end = read
    assert isinstance(first, Paragraph) and first.text == "One paragraph with code."
    assert [span.code for span in first.spans] == [False, True, False]
    assert isinstance(bullet, Paragraph) and bullet.bullet and bullet.text == "first goes on"
    assert isinstance(snippet, Snippet) and (snippet.language, snippet.lines) == ("ts", ("a", "  b"))
    assert isinstance(end, Paragraph) and not end.bullet


def test_prose_survives_an_unclosed_fence_and_an_odd_backtick() -> None:
    (snippet,) = blocks("```\nleft open")
    assert isinstance(snippet, Snippet) and snippet.lines == ("left open",)
    (odd,) = blocks("an odd ` tick")
    assert isinstance(odd, Paragraph) and odd.text == "an odd ` tick"
    assert blocks("") == ()


def test_a_failure_without_findings_is_told_by_every_format() -> None:
    bare = sample.result(88, Verdict(Status.FAIL, "bare, and no finding says why", evidence=(Evidence("INFO", "x"),)))
    report = replace(sample.report(), results=(bare,), extra=())
    for name, found in plugins.formats().items():
        text = found.render(report, RenderOptions())
        assert "bare, and no finding says why" in text and "TT088" in text, name


def test_a_fold_names_two_reasons_and_counts_the_rest() -> None:
    made = tuple(
        sample.result(number, Verdict(Status.UNVERIFIED, f"reason {number}", cause=Cause.SOURCE_NOT_GIVEN))
        for number in range(1, 6)
    )
    report = replace(sample.report(), results=made, extra=())
    for name in ("terminal", "html"):
        text = plugins.formats()[name].render(report, RenderOptions(width=120))
        assert "reason 1; reason 2; and 3 more reasons" in text, name
