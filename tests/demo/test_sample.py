"""The sample service fits the demo's queues and ships whole."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from auditor.demo.demo import SAMPLE
from auditor.demo.fill import QUEUES

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
