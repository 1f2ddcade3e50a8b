"""The inventory's JSON against its published schema, on the sample service that ships with the demo."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from auditor.code.model import Kind, Library, OptionState

SCHEMA: dict[str, Any] = json.loads(
    (resources.files("auditor") / "schemas/inventory.schema.json").read_text(encoding="utf-8")
)


@pytest.fixture(scope="module")
def inventory() -> Any:
    sample = str(resources.files("auditor") / "demo/sample")
    run = "import sys; from auditor.cli import main; sys.argv[0] = 'tt-audit'; main()"
    done = subprocess.run(
        [sys.executable, "-c", run, "inventory", "--code", sample, "--format", "json"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def test_the_inventory_validates_and_is_not_empty(inventory: Any) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert list(Draft202012Validator(SCHEMA).iter_errors(inventory)) == []
    assert inventory["queues"] and inventory["producers"] and inventory["workers"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["producers"][0].update(more=1),
        lambda d: d["producers"][0].update(library="kue"),
        lambda d: d["workers"][0].update(handler=3),
        lambda d: d["producers"][0]["options"]["attempts"].pop("value"),
        lambda d: d["producers"][0]["options"]["attempts"].update(state="guessed"),
        lambda d: d["queues"][0].pop("live"),
    ],
)
def test_the_schema_refuses_what_is_no_inventory(inventory: Any, spoil: Any) -> None:
    spoilt = json.loads(json.dumps(inventory))
    spoil(spoilt)
    assert list(Draft202012Validator(SCHEMA).iter_errors(spoilt))


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        (Library, SCHEMA["$defs"]["library"]),
        (Kind, SCHEMA["$defs"]["kind"]),
        (OptionState, SCHEMA["$defs"]["option"]["properties"]["state"]),
    ],
)
def test_the_schema_lists_the_words_of_the_model(words: Any, listed: Any) -> None:
    assert listed["enum"] == [word.value for word in words]
