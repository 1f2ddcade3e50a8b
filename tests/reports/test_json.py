"""The JSON contract: its schema holds, says the same words as the model, and loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor.model import Cause, Confidence, Report, Severity, SourceStatus, Status, SubjectType
from auditor.reporting import RenderOptions, ReportFormat
from tests.reports import sample

SCHEMA: dict[str, Any] = json.loads((resources.files("auditor") / "schemas/report.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def document(report: Report, formats: dict[str, ReportFormat]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(formats["json"].render(report, RenderOptions()))
    return loaded


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_the_report_validates(document: dict[str, Any]) -> None:
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(more=1),
        lambda d: d["items"][0].update(more=1),
        lambda d: d["items"][0].pop("number"),
        lambda d: d["items"][0].update(status="waived"),
        lambda d: d["items"][0]["findings"][0].update(more=1),
        lambda d: d["items"][0]["findings"][0]["place"].update(key="x"),
        lambda d: d["items"][0]["findings"][0]["place"].pop("line"),
        lambda d: d["items"][0]["findings"][0]["subject"].update(type="thing"),
        lambda d: d["extra"][0].update(number=1),
        lambda d: d["summary"]["by_status"].pop("error"),
        lambda d: d["summary"].update(score=101),
        lambda d: d["sources"][0].update(status="fine"),
        lambda d: d["gate"].update(exit_code=4),
        lambda d: d["checklist"].update(sha256="short"),
    ],
)
def test_the_schema_refuses_what_is_no_report(document: dict[str, Any], spoil: Any) -> None:
    spoilt = json.loads(json.dumps(document))
    spoil(spoilt)
    assert list(Draft202012Validator(SCHEMA).iter_errors(spoilt))


def test_every_object_of_the_schema_is_closed() -> None:
    open_ones = [
        where
        for where, node in _objects(SCHEMA, "#")
        if "properties" in node
        and node.get("additionalProperties") is not False
        and node.get("unevaluatedProperties") is not False
    ]
    assert open_ones == ["#/$defs/item"]  # closed where it is used: `numbered` and `unnumbered`


def test_the_schema_requires_every_property() -> None:
    for where, node in _objects(SCHEMA, "#"):
        if "properties" in node:
            assert set(node["properties"]) == set(node["required"]), where


@pytest.mark.parametrize(
    ("pointer", "words"),
    [
        (("$defs", "severity"), Severity),
        (("$defs", "confidence"), Confidence),
        (("$defs", "status"), Status),
        (("$defs", "cause"), Cause),
        (("$defs", "finding", "properties", "subject", "properties", "type"), SubjectType),
        (("properties", "sources", "items", "properties", "status"), SourceStatus),
    ],
)
def test_the_schema_lists_the_words_of_the_model(pointer: tuple[str, ...], words: Any) -> None:
    node = SCHEMA
    for key in pointer:
        node = node[key]
    assert node["enum"] == [word.value for word in words]


def test_it_holds_the_102_in_order_and_skipped_items_say_so(document: dict[str, Any]) -> None:
    assert [item["number"] for item in document["items"]] == list(range(1, 103))
    assert [item["number"] for item in document["items"] if not item["selected"]] == [61, 62, 63]
    assert document["summary"]["of"] == 99


def test_places_are_told_apart_by_their_keys(document: dict[str, Any]) -> None:
    by_number = {item["number"]: item for item in document["items"]}
    assert by_number[1]["findings"][0]["place"] == {
        "path": "payment-service/src/jobs/payments.ts",
        "line": 40,
        "end_line": 43,
    }
    assert by_number[88]["findings"][0]["place"] == {"endpoint": sample.REDIS, "key": "maxmemory-policy"}
    assert by_number[88]["findings"][0]["related"] == [{"path": "infra/redis/redis.conf", "line": 14}]
    assert by_number[39]["findings"][0]["place"] == {"source": "monitoring/rules.yml", "name": "QueueDepthHigh"}


def test_a_finding_carries_a_fix_and_its_waiver(document: dict[str, Any]) -> None:
    findings = document["items"][0]["findings"]
    assert findings[0]["fix"] == sample.FIX
    assert findings[6]["fix"] == "Pass `attempts: 5` in `sendMail()`."
    assert findings[2]["waived"] == {"reason": "legacy, goes away with v2", "by": "ciaran", "expires": "2027-01-31"}
    assert document["items"][0]["waived"] == 1


def test_hostile_text_is_lossless_and_nothing_but_ascii(
    report: Report, formats: dict[str, ReportFormat], document: dict[str, Any]
) -> None:
    text = formats["json"].render(report, RenderOptions())
    assert text.isascii() and not any(ord(character) < 32 and character != "\n" for character in text)
    assert document["items"][0]["findings"][7]["subject"]["queue"] == sample.HOSTILE


def _objects(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        if node.get("type") == "object" or "properties" in node:
            yield where, node
        for key, value in node.items():
            yield from _objects(value, f"{where}/{key}")
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value, where)
