"""The sample service fits the demo's queues and ships whole."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.demo.demo import SAMPLE
from auditor.demo.fill import QUEUES
from auditor.scan import Request, scan

FILES = sorted(path for path in SAMPLE.rglob("*") if path.is_file())


def test_code_and_redis_have_the_same_queues() -> None:
    code = (SAMPLE / "src" / "queues.ts").read_text(encoding="utf-8")
    assert tuple(re.findall(r"new Queue\('([a-z-]+)'", code)) == QUEUES


def test_the_workers_work_queues_that_exist() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (SAMPLE / "src" / "workers").glob("*.ts"))
    assert set(re.findall(r"new Worker\('([a-z-]+)'", code)) == set(QUEUES) - {"dead-letter"}


def test_no_file_is_ignored_and_so_left_out_of_a_package() -> None:
    if (
        not shutil.which("git")
        or subprocess.run(["git", "rev-parse"], cwd=SAMPLE, capture_output=True, check=False).returncode
    ):
        pytest.skip("no git checkout")
    ignored = subprocess.run(
        ["git", "check-ignore", *map(str, FILES)], cwd=SAMPLE, capture_output=True, text=True, check=False
    )
    assert ignored.stdout == ""
    assert len(FILES) >= 20


def test_it_holds_no_secret() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"sk_(live|test)_\w{8}|AKIA[A-Z0-9]{16}|BEGIN [A-Z ]*PRIVATE KEY", text), path


def test_it_is_read_from_an_environment_that_git_ignores(tmp_path: Path) -> None:
    # an installed tt-audit mostly lies in a .venv inside somebody's repository
    if not shutil.which("git"):
        pytest.skip("no git")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(".venv\n", encoding="utf-8")
    sample = tmp_path / ".venv" / "sample"
    shutil.copytree(SAMPLE, sample)
    report = scan(Request(code=(sample,), infra=(sample,))).report
    assert report.targets.code[0].files_read > 10
    assert report.targets.infra[0].files_read > 2


def test_git_runs_no_program_that_the_scanned_repository_names(tmp_path: Path) -> None:
    if not shutil.which("git"):
        pytest.skip("no git")
    shutil.copytree(SAMPLE, tmp_path / "repo")
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n", encoding="utf-8")
    trap.chmod(0o755)
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    subprocess.run(["git", "-C", str(tmp_path / "repo"), "config", "core.fsmonitor", str(trap)], check=True)
    scan(Request(code=(tmp_path / "repo",), infra=(tmp_path / "repo",)))
    assert not (tmp_path / "sprung").exists()
