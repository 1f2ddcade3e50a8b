"""The terminal report: within its width, plain where it must be, folded, complete."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from auditor import plugins
from auditor.model import (
    Cause,
    CodeSpan,
    Evidence,
    Finding,
    RedisPlace,
    Report,
    SourceReport,
    SourceStatus,
    Status,
    Subject,
    SubjectType,
    Verdict,
)
from auditor.probes import probe
from auditor.reporting import RenderOptions, ReportFormat, endings, format_of
from tests.reports import sample

plugins.mount("reports")

from auditor.reports.listing import render_explain, render_list  # noqa: E402

_CODES = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160, 240])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_the_terminal(
    width: int, verbose: bool, report: Report, formats: dict[str, ReportFormat]
) -> None:
    text = formats["terminal"].render(report, RenderOptions(width=width, verbose=verbose))
    too_wide = [line for line in text.splitlines() if len(line) > width]
    assert too_wide == []


def test_plain_output_has_no_escapes_and_no_trailing_blanks(report: Report, formats: dict[str, ReportFormat]) -> None:
    text = formats["terminal"].render(report, RenderOptions(hyperlinks=True, base="/srv"))
    assert "\x1b" not in text and not re.search(r" +$", text, re.MULTILINE)
    assert all(line.isprintable() for line in text.splitlines())


def test_colour_adds_codes_and_changes_no_word(report: Report, formats: dict[str, ReportFormat]) -> None:
    render = formats["terminal"].render
    colored = render(report, RenderOptions(color=True, hyperlinks=True, base="/srv"))
    assert "\x1b[" in colored
    bare = _CODES.sub("", colored)
    assert "\x1b" not in bare, "only colours and links of ours may be left"
    for line in ("TT088  maxmemory-policy set to noeviction", "observed   allkeys-lru", "Score 89 of 100"):
        assert line in bare


def test_links_lead_to_files_under_the_base_and_nowhere_else(report: Report, formats: dict[str, ReportFormat]) -> None:
    text = formats["terminal"].render(report, RenderOptions(color=True, hyperlinks=True, base="/srv/my app"))
    urls = set(re.findall(r"\x1b\]8;;([^\x1b]+)\x1b", text))
    assert "file:///srv/my%20app/payment-service/src/jobs/payments.ts#40" in urls
    assert all(url.startswith("file:///srv/my%20app/") and url.isascii() for url in urls)
    assert "\x1b]8" not in formats["terminal"].render(report, RenderOptions(color=True, hyperlinks=True))


def test_ascii_where_the_output_can_hold_no_more(report: Report, formats: dict[str, ReportFormat]) -> None:
    ours = replace(report, results=tuple(result for result in report.results if result.item.number not in (1, 2)))
    text = formats["terminal"].render(ours, RenderOptions(unicode=False))
    assert text.isascii(), sorted({character for character in text if not character.isascii()})


def test_no_line_of_a_log_is_a_command(report: Report, formats: dict[str, ReportFormat]) -> None:
    for width in range(40, 140, 7):
        for line in formats["terminal"].render(report, RenderOptions(width=width, verbose=True)).splitlines():
            assert not re.match(r"\s*::[A-Za-z-]+(\s|::)", line)


def test_items_without_their_source_take_one_line_a_section(report: Report, formats: dict[str, ReportFormat]) -> None:
    text = formats["terminal"].render(report, RenderOptions(width=100))
    assert "? 8 unverified, source not given (31-38): no Prometheus was given: --prometheus URL" in text
    assert not any(f"TT{number:03}" in text for number in range(31, 39))
    assert "3 skipped (61-63)" in text


def test_all_places_of_an_item_are_listed_but_three_findings_in_full(
    report: Report, formats: dict[str, ReportFormat]
) -> None:
    text = formats["terminal"].render(report, RenderOptions(width=120))
    assert "and 6 more findings (in full with --verbose):" in text
    for line in (40, 51, 62, 73, 84, 95):
        assert f"payment-service/src/jobs/payments.ts:{line}" in text
    verbose = formats["terminal"].render(report, RenderOptions(width=120, verbose=True))
    assert "more findings" not in verbose and verbose.count("observed   attempts absent") == 10


def test_failures_come_worst_first_and_waived_ones_apart(report: Report, formats: dict[str, ReportFormat]) -> None:
    text = formats["terminal"].render(report, RenderOptions())
    details = text[text.index("Failures: 4 items, 1 of them extra") :]
    order = [details.index(f"✗ {name}  ") for name in ("TT088", "TT001", "X001", "TT039")]
    assert order == sorted(order)
    assert "✗ TT092" not in details
    assert "private network until Q2 (sre@tickettoken.test, until 2027-03-31)" in details


def test_quiet_is_the_verdict_and_a_line_a_failure(report: Report, formats: dict[str, ReportFormat]) -> None:
    lines = formats["terminal"].render(report, RenderOptions(quiet=True)).splitlines()
    assert lines[0].startswith("✗ Fails the gate")
    assert len(lines) == 1 + 4 + 1 + 5


def test_a_source_that_was_not_given_and_one_that_cost_nothing(
    report: Report, formats: dict[str, ReportFormat]
) -> None:
    alone = replace(
        report,
        sources=tuple(source for source in report.sources if source.name == "code"),
        targets=replace(report.targets, redis=(), prometheus=(), infra=()),
    )
    text = formats["terminal"].render(alone, RenderOptions())
    assert re.search(r"^Redis +not given$", text, re.MULTILINE)
    assert re.search(r"^Observability +not given$", text, re.MULTILINE)


def test_a_source_of_a_plugin_is_listed_too(report: Report, formats: dict[str, ReportFormat]) -> None:
    more = replace(report, sources=(*report.sources, SourceReport("kafka", report.sources[1].status)))
    assert re.search(r"^kafka +read$", formats["terminal"].render(more, RenderOptions()), re.MULTILINE)


def test_nothing_decided_has_no_score(report: Report, formats: dict[str, ReportFormat]) -> None:
    empty = replace(report, summary=replace(report.summary, score=None), results=(), extra=(), services={})
    for name, found in formats.items():
        assert "None" not in found.render(empty, RenderOptions()), name
    assert "Score none" in formats["terminal"].render(empty, RenderOptions())


def test_two_services_make_a_matrix_and_one_makes_none(report: Report, formats: dict[str, ReportFormat]) -> None:
    text = formats["terminal"].render(report, RenderOptions(width=120))
    assert re.search(r"General Job Configuration +1\+1 +1 +1", text)
    one = replace(report, services={"payment-service": report.summary})
    assert "Services" not in formats["terminal"].render(one, RenderOptions())


def test_list_folds_by_section_and_explain_keeps_snippets() -> None:
    @probe("some.probe")
    def decide() -> Verdict:
        """Attempts are read off the call's `opts`.

        - a default counts
        """
        return Verdict(Status.PASS, "")

    items = [sample.item(number) for number in (1, 2, 11)]
    listed = render_list(items, {"some.probe": decide})
    assert [line for line in listed.splitlines() if not line.startswith(" ") and line][:2] == [
        "General Job Configuration",
        "Idempotency Verification",
    ]
    assert "TT001  high      Every job has explicit attempts configured" in listed
    told = render_explain(items[0], decide.doc, ("code", "live"), RenderOptions(width=80))
    assert "How it is decided (from Code, Redis)" in told and "- a default counts" in told
    assert "  defaultJobOptions: { attempts: 3," in told
    assert "https://docs.bullmq.io/guide/retrying-failing-jobs" in told
    assert all(len(line) <= 80 for line in told.splitlines())
    assert "\x1b[" in render_explain(items[0], "", (), RenderOptions(color=True))


def test_the_longest_ending_wins_and_an_unknown_one_lists_what_is_known(formats: dict[str, ReportFormat]) -> None:
    assert format_of("out/REPORT.SARIF.JSON", formats).name == "sarif"
    assert format_of("report.json", formats).name == "json"
    assert {format_of(f"x{ending}", formats).name for ending in endings(formats.values())} == set(formats) - {"github"}
    with pytest.raises(Exception, match=r"no report format has this ending") as raised:
        format_of("report.pdf", formats)
    assert ".html" in str(getattr(raised.value, "hint", ""))


def test_listing_formats_loads_neither_rich_nor_jinja() -> None:
    code = "import sys; from auditor import plugins; plugins.formats(); print(sorted({'rich', 'jinja2', 'markupsafe'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_thousands_of_findings_stay_readable(report: Report, formats: dict[str, ReportFormat]) -> None:
    findings = tuple(sample.producer(f"job{line}", line) for line in range(1, 3001))
    many = replace(
        report, results=(sample.result(1, Verdict(Status.FAIL, "3,000 producers", findings=findings)),), extra=()
    )
    text = formats["terminal"].render(many, RenderOptions())
    assert "and 2,997 more findings (in full with --verbose):" in text and "2,960 of them are not listed here" in text
    assert len(text.splitlines()) < 200
    assert len(formats["html"].render(many, RenderOptions())) < 1_000_000
    assert "the JSON report has them all" in formats["html"].render(many, RenderOptions())
    assert formats["json"].render(many, RenderOptions()).count('"fingerprint"') == 3000


def test_findings_of_redis_say_what_is_wrong_before_a_long_key(
    report: Report, formats: dict[str, ReportFormat]
) -> None:
    server = "redis://queues.internal.example.test:6379"
    findings = []
    for number in range(5):
        key = f"bull:mail-{number}:repeat:f071be2a34077537ce830ad186f2bf00:1795523400000"
        place = RedisPlace(server, key)
        shown = Evidence(f"HGET {key} opts", "no backoff", place=place)
        queue = Subject(SubjectType.QUEUE, f"mail-{number}")
        findings.append(Finding(f"mail-{number}: it retries {number} times", queue, place, (), (shown, shown)))
    verdict = Verdict(Status.FAIL, "5 queues", findings=tuple(findings))
    ours = replace(report, results=(sample.result(2, verdict),), extra=())
    narrow = formats["terminal"].render(ours, RenderOptions(width=80))
    assert all(f"✗ mail-{number}: it retries {number} times" in narrow for number in range(5))
    wide = formats["terminal"].render(ours, RenderOptions(width=240))
    assert f"evidence   HGET {findings[0].place.subject} opts\n" in wide, "the key is not said twice"


def test_what_is_said_of_several_subjects_is_said_once_with_every_place(
    report: Report, formats: dict[str, ReportFormat]
) -> None:
    def lacking(number: int, text: str = "has no error listener") -> Finding:
        place, caller = CodeSpan(f"src/{number}.ts", 10 * number), CodeSpan("src/index.ts", number)
        worker = Subject(SubjectType.WORKER, f"worker of mail-{number}", f"mail-{number}", "mailer")
        shown = Evidence(place.label(), "no error listener", "one on each worker", place)
        return Finding(
            f"worker of mail-{number} {text}",
            worker,
            place,
            (caller, CodeSpan("src/index.ts", 90)),
            (shown,),
            fix="add it",
        )

    other = lacking(4, "swallows its errors")
    verdict = Verdict(Status.FAIL, "r", findings=(lacking(1), other, lacking(2), lacking(3)))
    ours = replace(report, results=(sample.result(20, verdict),), extra=())
    text = formats["terminal"].render(ours, RenderOptions(width=100))
    details = text[text.index("Failures:") :]
    assert details.count("has no error listener") == 1 and "✗ worker of mail-4 swallows its errors" in details
    assert details.count("one on each worker") == 2 and details.count("add it") == 2
    assert "where      src/1.ts:10\n      and        src/index.ts:1, :90\n" in details
    assert "also       worker of mail-2 · service mailer  src/2.ts:20\n" in details
    assert "also       worker of mail-3 · service mailer  src/3.ts:30\n" in details
    verbose = formats["terminal"].render(ours, RenderOptions(width=100, verbose=True))
    assert "src/3.ts:30  src/index.ts:3, :90\n" in verbose
    page = formats["html"].render(ours, RenderOptions())
    assert page.count("one on each worker") == 2 and "the same of 2 others" in page and "src/3.ts:30" in page
    many = Verdict(Status.FAIL, "r", findings=tuple(lacking(number) for number in range(1, 1001)))
    ours = replace(report, results=(sample.result(20, many),), extra=())
    text = formats["terminal"].render(ours, RenderOptions(width=100))
    assert text.count("also       ") == 39 and "… and 960 more" in text


def test_a_source_that_cannot_be_read_is_told_once(report: Report, formats: dict[str, ReportFormat]) -> None:
    gone = "redis://a:1: cannot connect: connection refused"
    results = tuple(
        sample.result(number, Verdict(Status.UNVERIFIED, gone, cause=Cause.REFUSED)) for number in (1, 2, 3, 88)
    )
    text = formats["terminal"].render(replace(report, results=results, extra=()), RenderOptions(width=100))
    assert f"? 3 unverified, refused (1-3): {gone}" in text and "TT002" not in text
    down = replace(report, results=results, extra=(), sources=())
    text = formats["terminal"].render(down, RenderOptions(width=100))
    assert "Nothing could be read, so no item is decided" in text and gone not in text
    assert gone in formats["terminal"].render(down, RenderOptions(width=100, verbose=True))


def test_what_to_give_is_told_once_for_a_section(report: Report, formats: dict[str, ReportFormat]) -> None:
    reasons = (
        "give --code PATH",
        "Redis shows nothing that bears on it; give --code PATH",
        "give --infra PATH or --code PATH",
    )
    results = tuple(
        sample.result(number, Verdict(Status.UNVERIFIED, why, cause=Cause.SOURCE_NOT_GIVEN))
        for number, why in enumerate(reasons, start=1)
    )
    text = formats["terminal"].render(replace(report, results=results, extra=()), RenderOptions(width=100))
    assert "? 3 unverified, source not given (1-3): give --code PATH; give --infra PATH or --code PATH\n" in text


def test_items_without_a_subject_for_one_reason_take_one_line(report: Report, formats: dict[str, ReportFormat]) -> None:
    none = tuple(sample.result(n, Verdict(Status.NOT_APPLICABLE, "no mint jobs")) for n in range(46, 54))
    text = formats["terminal"].render(replace(report, results=none, extra=()), RenderOptions(width=100))
    assert "– 8 n/a (46-53): no mint jobs\n" in text and "TT046" not in text


def test_the_head_does_not_repeat_why_a_source_could_not_be_read(
    report: Report, formats: dict[str, ReportFormat]
) -> None:
    why = "redis://a:1: cannot connect"
    gone = SourceReport("live", SourceStatus.UNAVAILABLE, why)
    gate = replace(report.gate, because=(f"source live: {why}",), exit_code=3)
    ours = replace(report, sources=(*report.sources, gone), gate=gate)
    text = formats["terminal"].render(ours, RenderOptions(width=100))
    top, _, bottom = text.partition("Failures:")
    assert top.count(why) == 1 and "- Redis could not be read: see above" in top
    assert f"- source live: {why}" in bottom


@pytest.mark.parametrize(("number", "said"), [(1, "1 needs a person's word"), (3, "3 need a person's word")])
def test_causes_are_counted_in_grammar(
    report: Report, formats: dict[str, ReportFormat], number: int, said: str
) -> None:
    summary = replace(report.summary, unverified_by_cause={Cause.NEEDS_PERSON: number})
    text = formats["terminal"].render(replace(report, summary=summary), RenderOptions(width=100))
    assert f"  unverified: {said}\n" in text


def test_sections_that_were_left_out_take_one_line(report: Report, formats: dict[str, ReportFormat]) -> None:
    results = tuple(
        replace(sample.result(number, Verdict(Status.UNVERIFIED, "left out")), selected=number == 88)
        for number in range(60, 103)
    )
    text = formats["terminal"].render(replace(report, results=results, extra=()), RenderOptions(width=100))
    assert "· 35 skipped (60-87, 96-102): left out" in text and "Email Jobs" not in text


def test_evidence_beside_no_finding_says_the_server_alone(report: Report, formats: dict[str, ReportFormat]) -> None:
    shown = Evidence("LLEN bull:mail:wait", "3", place=RedisPlace("redis://one:6379", "bull:mail:wait"))
    verdict = Verdict(Status.FAIL, "3 jobs wait", evidence=(shown,))
    ours = replace(report, results=(sample.result(37, verdict),), extra=())
    text = formats["terminal"].render(ours, RenderOptions(width=160))
    assert "evidence   LLEN bull:mail:wait @ redis://one:6379\n" in text
