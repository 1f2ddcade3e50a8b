"""checklist.yaml says what the audit document says: all its items, in order, each with its text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TITLES = Path(__file__).parent / "data" / "audit-titles.txt"
"""The audit document's table, one `number title` a line, Markdown marks stripped."""

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "checklist.yaml").read_text(encoding="utf-8"))
ITEMS: list[dict[str, Any]] = [item for section in DOCUMENT["sections"] for item in section["items"]]
KEYS = ["id", "number", "title", "severity", "probe", "params", "why", "fix", "references"]
LONGEST_FIX_LINE = 120
LONGEST_CODE_LINE = 96
"""Indented by four it still fits a terminal of 100 columns: wrapped code cannot be copied."""

each_item = pytest.mark.parametrize("item", ITEMS, ids=[item["id"] for item in ITEMS])


def test_the_titles_are_the_audit_documents_in_its_order() -> None:
    written = [f"{item['number']} {item['title']}" for item in ITEMS]
    assert written == TITLES.read_text(encoding="utf-8").splitlines()
    assert len(written) == 102


def test_ids_follow_the_numbers() -> None:
    assert [item["id"] for item in ITEMS] == [f"TT{number:03}" for number in range(1, 103)]


def test_sections_are_the_audit_documents() -> None:
    sizes = {section["title"]: len(section["items"]) for section in DOCUMENT["sections"]}
    assert sizes == {
        "General Job Configuration": 10,
        "Idempotency Verification": 5,
        "Core Worker Settings": 10,
        "Resource Management": 5,
        "Monitoring & Alerting": 15,
        "NFT Minting Jobs": 15,
        "Email Jobs": 12,
        "Payment Processing Jobs": 15,
        "Redis Configuration": 8,
        "Infrastructure": 7,
    }


def test_the_two_critical_items_of_the_audit_document_are_critical() -> None:
    assert [item["number"] for item in ITEMS if item["severity"] == "critical"] == [73, 88]


@each_item
def test_an_item_has_all_keys_in_one_order(item: dict[str, Any]) -> None:
    assert list(item) == KEYS
    assert item["severity"] in {"critical", "high", "medium", "low"}


@each_item
def test_an_item_says_why_and_how(item: dict[str, Any]) -> None:
    assert 60 <= len(item["why"]) <= 420, "one to three concrete sentences"
    assert "\n" not in item["why"].strip()
    assert len(item["fix"]) >= 60
    assert max(map(len, item["fix"].splitlines())) <= LONGEST_FIX_LINE
    assert item["references"]


@each_item
def test_snippets_are_fenced_and_named(item: dict[str, Any]) -> None:
    fences = [line for line in item["fix"].splitlines() if line.lstrip().startswith("```")]
    assert len(fences) % 2 == 0, "an open fence swallows what follows"
    for opening, closing in zip(fences[::2], fences[1::2], strict=True):
        assert re.fullmatch(r"```(ts|yaml|conf|sql|ini|md|sh)", opening)
        assert closing == "```"


@each_item
def test_snippets_fit_a_terminal(item: dict[str, Any]) -> None:
    for snippet in re.findall(r"```[a-z]+\n(.*?)```", item["fix"], re.S):
        assert [line for line in snippet.splitlines() if len(line) > LONGEST_CODE_LINE] == []


@each_item
def test_references_are_links_or_the_audit_document(item: dict[str, Any]) -> None:
    for reference in item["references"]:
        assert re.fullmatch(r"https://\S+|audit document \d\.\d", reference)
    assert any(reference.startswith("audit document ") for reference in item["references"])


@each_item
def test_yaml_and_configuration_snippets_parse(item: dict[str, Any]) -> None:
    for snippet in re.findall(r"```yaml\n(.*?)```", item["fix"], re.S):
        assert yaml.safe_load(snippet) is not None
