"""Hostile and broken files cost a note at most: no crash, bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest

from auditor.errors import SourceError
from auditor.model import SourceStatus
from auditor.prom.collect import collect
from auditor.prom.files import LARGEST

GOOD = "groups:\n  - name: a\n    rules:\n      - alert: A\n        expr: depth > 1\n"


def test_a_rule_whose_promql_does_not_parse_is_a_note_and_the_others_stand(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(GOOD + "      - alert: B\n        expr: rate(x[5m]) by (a) > 1\n")
    seen = collect([tmp_path], None)
    assert [(r.name, bool(r.query.problem)) for r in seen.rules] == [("A", False), ("B", True)]
    assert [(n.place.label(), "rule B" in n.text) for n in seen.notes] == [("r.yml:7", True)]
    assert seen.report.status is SourceStatus.PARTIAL
    assert seen.report.why.startswith("r.yml:7: rule B: not PromQL")
    assert not seen.report.ended_early


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "\t- broken: [alert, expr\n",
        "alert: [expr",
        "{{- if .Values.alerts }}\n" + GOOD + "{{- end }}\n",
        "alert: &a [*a]\nexpr: *a\ngroups: *a\n",
        "groups: alert expr\n",
        "groups: [{rules: [alert, {alert: {}, expr: []}, {alert: 1, expr: 2, for: [x], labels: 3}]}]\n",
        "? {alert: expr}\n: groups\n",
        "alert: \x07 expr",
    ],
)
def test_broken_yaml_is_no_crash(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.yml").write_text(text)
    (tmp_path / "good.yml").write_text(GOOD)
    assert "A" in [r.name for r in collect([tmp_path], None).rules]


@pytest.mark.parametrize(
    "text",
    [
        '{"panels": [',
        '{"panels": ' + "[" * 5000,
        '{"panels": 3}',
        '[[{"panels": [null, 1, {"targets": [1, {"expr": 2}]}]}]]',
    ],
)
def test_broken_dashboards_are_no_crash(tmp_path: Path, text: str) -> None:
    (tmp_path / "d.json").write_text(text)
    collect([tmp_path], None)


def test_a_bomb_of_aliases_costs_little(tmp_path: Path) -> None:
    lines = ["a0: &a0 {alert: x, expr: y}"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    (tmp_path / "bomb.yml").write_text("\n".join(lines) + "\n")
    begun = time.monotonic()
    collect([tmp_path], None)
    assert time.monotonic() - begun < 5


def test_a_huge_file_is_a_note_and_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.yml").open("w") as file:
        file.write(GOOD)
        for _ in range(50):
            file.write("# " + "x" * 1_000_000 + "\n")
    tracemalloc.start()
    seen = collect([tmp_path], None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen.rules == ()
    assert [n.place.path for n in seen.notes] == ["huge.yml"]
    assert peak < LARGEST


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yml"
    outside.write_text(GOOD)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.yml").symlink_to(outside)
    assert collect([inside], None).rules == ()


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        collect([tmp_path / "nowhere"], None)


def test_the_deadline_ends_the_reading_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(GOOD)
    report = collect([tmp_path], None, deadline=time.monotonic() - 1).report
    assert report.ended_early
    assert "--timeout" in report.why
