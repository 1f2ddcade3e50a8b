"""The cache, as a person meets it: a second run says the same, sooner, and nothing is left where it does not belong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cache.entries import VARIABLE

from .support import tt_audit

HEALTHY = Path(__file__).parents[1] / "worlds/healthy"
TOLD = "import sys, auditor.cli as c\ntry:\n    c.main()\nfinally:\n    print([m for m in sys.modules if m.startswith(('tree_sitter', 'promql_parser', 'auditor.code.evaluation.evaluate'))], file=sys.stderr)"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HEALTHY, tmp_path / "world"))


def run(*arguments: str | Path) -> tuple[str, str]:
    """stdout without what time it is, and the parsers that were loaded."""
    done = subprocess.run(
        [sys.executable, "-c", TOLD, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr
    return re.sub(r'"(started|seconds)": [^\n]*', "", done.stdout), done.stderr


@pytest.mark.parametrize("format_", ["json", "terminal", "html"])
def test_a_warm_report_is_the_cold_one_without_any_parser(world: Path, own_cache: Path, format_: str) -> None:
    cold, loaded = run("scan", "--code", world, "--no-redis", "--format", format_)
    assert "tree_sitter" in loaded
    assert {path.name.split("-")[0] for path in own_cache.iterdir()} == {"codemodel", "inframodel", "observability"}
    warm, loaded = run("scan", "--code", world, "--no-redis", "--format", format_)
    assert loaded.strip().endswith("[]")
    if format_ != "json":
        cold, warm = (re.sub(r"20\d\d-\d\d-\d\d[^<\n]*|\d+(?:\.\d+)? (?:ms|s)\b", "", text) for text in (cold, warm))
    assert warm == cold


def test_a_warm_inventory_is_the_cold_one(world: Path) -> None:
    cold, loaded = run("inventory", "--code", world, "--format", "json")
    assert "tree_sitter" in loaded
    assert run("inventory", "--code", world, "--format", "json") == (cold, "[]\n")


def test_no_cache_keeps_nothing_and_asks_nothing(world: Path, own_cache: Path) -> None:
    for command in (("scan", "--no-redis"), ("inventory",)):
        tt_audit(*command, "--code", world, "--no-cache")
        assert not own_cache.exists()


def test_it_never_lies_in_what_is_scanned(world: Path) -> None:
    where = world / ".cache/tt-audit"
    for command in (("scan", "--no-redis"), ("inventory",)):
        done = tt_audit(*command, "--code", world, env={VARIABLE: str(where)})
        assert f"nothing is cached: {where} lies in {world}" in done.err
        assert not where.exists()
    done = tt_audit("inventory", cwd=world, env={VARIABLE: str(where)})
    assert not where.exists()


def test_a_home_that_cannot_be_written_costs_the_cache_alone(world: Path, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    done = tt_audit(
        "inventory", "--code", world, "--format", "json", env={VARIABLE: "", "HOME": str(tmp_path / "home")}
    )
    assert (done.code, done.err) == (0, "")
    assert done.out == tt_audit("inventory", "--code", world, "--format", "json", "--no-cache").out


def test_entries_that_are_no_entries_are_misses(world: Path, own_cache: Path) -> None:
    fresh = tt_audit("inventory", "--code", world).out
    for path in own_cache.iterdir():
        path.write_bytes(os.urandom(1000))
    assert tt_audit("inventory", "--code", world).out == fresh


def test_a_service_is_chosen_from_what_is_kept(world: Path) -> None:
    """What `--service` leaves out is no less kept: the next run asks for another."""
    whole = tt_audit("inventory", "--code", world, "--format", "json")
    services = sorted(set(re.findall(r'"service": "([^"]+)"', whole.out)))
    assert len(services) > 1
    for name in services:
        one = tt_audit("inventory", "--code", world, "--format", "json", "--service", name)
        assert (
            one.out == tt_audit("inventory", "--code", world, "--format", "json", "--service", name, "--no-cache").out
        )
