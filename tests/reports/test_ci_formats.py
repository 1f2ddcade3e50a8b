"""junit, sarif, markdown and github: well-formed, right in number, and deaf to hostile text."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from auditor.model import GateOutcome, Report, Status, Verdict
from auditor.reporting import RenderOptions, ReportFormat
from tests.reports import sample

Formats = dict[str, ReportFormat]


@pytest.fixture(scope="module")
def junit(report: Report, formats: Formats) -> ElementTree.Element:
    return ElementTree.fromstring(formats["junit"].render(report, RenderOptions()))


@pytest.fixture(scope="module")
def sarif(report: Report, formats: Formats) -> Any:
    return json.loads(formats["sarif"].render(report, RenderOptions()))["runs"][0]


@pytest.fixture(scope="module")
def github(report: Report, formats: Formats) -> list[str]:
    return formats["github"].render(report, RenderOptions()).splitlines()


@pytest.fixture(scope="module")
def markdown(report: Report, formats: Formats) -> str:
    return formats["markdown"].render(report, RenderOptions())


def test_junit_has_a_case_an_item_and_counts_that_agree(junit: ElementTree.Element) -> None:
    suites = junit.findall("testsuite")
    assert len(suites) == len(sample.SECTIONS) + 1
    for node in (junit, *suites):
        cases = node.findall(".//testcase")
        assert int(node.get("tests", "")) == len(cases)
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(node.get(attribute, "")) == len(node.findall(f".//{tag}")), (node.get("name"), tag)
    assert junit.get("failures") == "4" and junit.get("errors") == "1"


def test_junit_skips_what_is_waived_and_says_why(junit: ElementTree.Element) -> None:
    skipped = junit.find(".//testcase[@name='TT092 TLS encryption enabled']/skipped")
    assert skipped is not None
    assert "private network until Q2" in skipped.get("message", "")


def test_junit_text_is_legal_xml_and_holds_hostile_names_as_text(junit: ElementTree.Element) -> None:
    text = "".join(junit.itertext())
    assert sample.TAG in text and sample.CDATA in text
    assert "\x1b" not in text and "\u202e" not in text
    assert junit.find(".//script") is None


def test_sarif_results_point_at_rules_and_lines(sarif: Any) -> None:
    rules = sarif["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules[:102]] == [f"TT{number:03}" for number in range(1, 103)]
    assert len({rule["id"] for rule in rules}) == len(rules) == 103
    assert Counter(result["ruleId"] for result in sarif["results"]) == {
        "TT001": 9,
        "TT088": 1,
        "TT092": 1,
        "TT039": 1,
        "X001": 1,
    }
    for result in sarif["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        physical = result["locations"][0]["physicalLocation"]
        assert physical["region"]["startLine"] >= 1
        assert re.fullmatch(r"[\w./~%-]+", physical["artifactLocation"]["uri"])
        assert re.fullmatch(r"[0-9a-f]{64}", result["partialFingerprints"]["ttAuditFinding/v1"])
    fingerprints = [result["partialFingerprints"]["ttAuditFinding/v1"] for result in sarif["results"]]
    assert len(set(fingerprints)) == len(fingerprints)


def test_sarif_suppresses_exactly_what_is_waived(sarif: Any) -> None:
    suppressed = [result for result in sarif["results"] if "suppressions" in result]
    assert [result["ruleId"] for result in suppressed] == ["TT001", "TT092"]
    assert suppressed[0]["suppressions"][0]["justification"] == "legacy, goes away with v2 (ciaran, until 2027-01-31)"


def test_sarif_places_redis_findings_on_the_config_file(sarif: Any) -> None:
    waived = next(result for result in sarif["results"] if result["ruleId"] == "TT092")
    assert waived["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "tt-audit.yaml"
    assert waived["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == sample.REDIS


def test_sarif_says_what_went_wrong_in_the_run(sarif: Any) -> None:
    invocation = sarif["invocations"][0]
    assert invocation["executionSuccessful"] is True and invocation["exitCode"] == 1
    told = [note["message"]["text"] for note in invocation["toolExecutionNotifications"]]
    assert any("connection refused" in text for text in told) and any("TT006" in text for text in told)


def test_github_gives_one_command_a_line_and_none_that_a_name_made(github: list[str]) -> None:
    commands = [line for line in github if line.lstrip().startswith("::")]
    assert len(commands) == 8 + 1 + 1 + 1 + 1  # TT001 without the waived one, TT088, X001, TT039, the broken check
    for line in commands:
        found = re.fullmatch(r"::(error|warning|notice) ([^:]*)::(.*)", line)
        assert found, line
        for given in found.group(2).split(","):
            assert re.match(r"(file|line|endLine|title)=", given), given
    assert github.index(commands[-1]) == len(commands) - 1


def test_github_puts_the_worst_first_and_files_from_the_start_folder(github: list[str]) -> None:
    assert github[0].startswith("::error title=TT088")
    assert any("file=backend/payment-service/src/jobs/payments.ts,line=40,endLine=43," in line for line in github)
    assert any(line.startswith("::notice ") for line in github)


def test_github_counts_what_is_waived_apart(github: list[str]) -> None:
    assert "tt-audit: TT092 fails, waived: private network until Q2 (sre@tickettoken.test, until 2027-03-31)" in github


def test_markdown_lets_no_markup_mention_or_address_of_a_name_through(markdown: str) -> None:
    outside = _without_code(markdown)
    assert "<script" not in outside
    assert not re.search(r"(?<!\\)\[md", outside)
    assert not re.search(r"@\w", outside), "a mention"
    assert not re.search(r"https?://", outside), "an address"
    assert "\x1b" not in markdown and "\u202e" not in markdown


def test_markdown_fences_are_longer_than_any_in_the_code(formats: Formats) -> None:
    finding = sample.producer("x", 1, message="m")
    spiked = replace(
        finding, evidence=(replace(finding.evidence[0], excerpt="```\n</details>\n````", observed="a ``` b"),)
    )
    made = sample.result(1, Verdict(Status.FAIL, "r", findings=(spiked,)))
    text = formats["markdown"].render(replace(sample.report(), results=(made,)), RenderOptions())
    assert "`````\n" in text and "```` a ``` b" not in text and "````a ``` b````" in text


def test_markdown_fits_a_comment_and_says_what_did_not(formats: Formats) -> None:
    many = tuple(
        sample.result(
            number,
            Verdict(Status.FAIL, "r", findings=tuple(sample.producer(f"job{line}", line) for line in range(1, 60))),
        )
        for number in range(1, 103)
    )
    text = formats["markdown"].render(replace(sample.report(), results=many), RenderOptions())
    assert len(text) <= 65_536
    assert re.search(r"\d+ more items did not fit", text)
    assert "All sections" in text and "and 49 more findings" in text


@pytest.mark.parametrize(("exit_code", "word"), [(0, "Passes the gate"), (1, "Fails the gate"), (3, "Incomplete scan")])
def test_every_format_for_people_says_the_gates_word(exit_code: int, word: str, formats: Formats) -> None:
    report = replace(sample.report(), gate=GateOutcome("--fail-on high", exit_code == 1, exit_code, ()))
    for name in ("terminal", "html", "markdown", "github"):
        assert word in formats[name].render(report, RenderOptions()), name


def _without_code(text: str) -> str:
    text = re.sub(r"^(\s*)(`{3,})[^\n]*\n.*?^\s*\2$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", text)
