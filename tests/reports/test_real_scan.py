"""Every format on a real scan: of the sample service that ships with the demo, through the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from jsonschema import Draft202012Validator

_RUN = "import sys; from auditor.cli import main; sys.argv[0] = 'tt-audit'; main()"
_FILES = ("report.html", "report.json", "report.md", "report.xml", "report.sarif", "report.txt")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    sample = str(resources.files("auditor") / "demo/sample")
    outputs = [word for name in _FILES for word in ("-o", str(folder / name))]
    done = subprocess.run(
        [sys.executable, "-c", _RUN, "scan", "--code", sample, "--format", "github", *outputs],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    (folder / "github.txt").write_text(done.stdout, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def document(written: Path) -> Any:
    return json.loads((written / "report.json").read_text(encoding="utf-8"))


def test_the_json_validates(document: Any) -> None:
    schema = json.loads((resources.files("auditor") / "schemas/report.schema.json").read_text(encoding="utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert [item["number"] for item in document["items"]] == list(range(1, 103))


def test_fingerprints_are_unique(document: Any) -> None:
    found = [f["fingerprint"] for item in (*document["items"], *document["extra"]) for f in item["findings"]]
    assert len(set(found)) == len(found)


def test_every_format_tells_the_same_failures(document: Any, written: Path) -> None:
    failing = [item["id"] for item in (*document["items"], *document["extra"]) if item["status"] == "fail"]
    assert failing, "the sample service is meant to fail some"
    for name in (*_FILES, "github.txt"):
        text = (written / name).read_text(encoding="utf-8")
        assert [item_id for item_id in failing if item_id not in text] == [], name
    cases = ElementTree.parse(written / "report.xml").getroot().findall(".//testcase[failure]")
    assert [case.get("name", "").split()[0] for case in cases] == failing
    results = json.loads((written / "report.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert {result["ruleId"] for result in results} == set(failing)
