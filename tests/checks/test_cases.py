"""Every item that code decides, on small projects: good ones pass, bad ones fail at the marked line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from auditor.model import Status

from .support import Case, cases, judge, pointed_at

ALL = tuple(cases())


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.item}-{case.verdict.value}-{case.name}")
def test_case(case: Case, tmp_path: Path) -> None:
    result = judge(case, tmp_path)
    told = f"{result.verdict.reason}\n" + "\n".join(f"{f.finding.status}: {f.finding.message}" for f in result.findings)
    assert result.verdict.status is case.verdict, told
    missed = case.expected() - pointed_at(result)
    assert not missed, f"no finding points at {missed}; they point at {pointed_at(result)}\n{told}"
    if case.verdict is Status.PASS:
        assert result.verdict.evidence, "a pass shows what it rests on"


def test_bad_cases_mark_their_lines() -> None:
    unmarked = [f"{c.item}: {c.name}" for c in ALL if c.verdict is Status.FAIL and not c.expected()]
    assert not unmarked


def test_case_names_are_unique() -> None:
    twice = [key for key, n in Counter((c.item, c.name) for c in ALL).items() if n > 1]
    assert not twice
