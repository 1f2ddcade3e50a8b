"""The rules of other tools that the bench runs beside ours ask the same things, and find them."""

from __future__ import annotations

import json
import runpy
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

BENCH = Path(__file__).parents[2] / "bench"
RULES = BENCH / "rules"


def ast_grep_rules() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((RULES / "ast-grep.yml").read_text()))


def semgrep_rules() -> list[dict[str, Any]]:
    return list(yaml.safe_load((RULES / "semgrep.yml").read_text())["rules"])


def test_both_have_the_same_rules() -> None:
    ours, theirs = ast_grep_rules(), semgrep_rules()
    assert len(ours) >= 40
    assert [(rule["id"], rule["message"]) for rule in ours] == [(rule["id"], rule["message"]) for rule in theirs]
    assert len({rule["id"] for rule in ours}) == len(ours)


def found(tool: str, folder: Path) -> Counter[str]:
    """How often each rule finds something in the example, as the bench runs the tool."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed: pip install ast-grep-cli semgrep")
    for example in RULES.glob("example*.ts"):
        shutil.copy(example, folder)
    command = runpy.run_path(str(BENCH / "code.py"))["OTHERS"][tool]
    out = subprocess.run([tool, *command, str(folder)], capture_output=True, text=True, check=False).stdout
    if tool == "semgrep":
        return Counter(hit["check_id"].rpartition(".")[2] for hit in json.loads(out)["results"])
    return Counter(json.loads(line)["ruleId"] for line in out.splitlines())


@pytest.mark.parametrize("tool", ["ast-grep", "semgrep"])
def test_every_rule_finds_its_example(tool: str, tmp_path: Path) -> None:
    hits = found(tool, tmp_path)
    assert hits.keys() == {rule["id"] for rule in ast_grep_rules()}


def test_both_find_the_same(tmp_path: Path) -> None:
    for tool in ("ast-grep", "semgrep"):
        (tmp_path / tool).mkdir()
    assert found("ast-grep", tmp_path / "ast-grep") == found("semgrep", tmp_path / "semgrep")
