"""Small projects as a whole: code, rules, dashboards and deployments through the real collectors, binding and engine."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from auditor import binding, checklist, engine, plugins
from auditor.code.collect import collect as collect_code
from auditor.code.model import CodeModel
from auditor.code.model import EntryPoint as CodeEntry
from auditor.infra.collect import collect as collect_infra
from auditor.infra.collect import entry_points_above
from auditor.infra.model import InfraModel
from auditor.model import Cause, Result, Snapshot, Status, Unavailable
from auditor.prom.collect import collect as collect_prom
from auditor.prom.model import Observability

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "projects.yaml").read_text())
PACKAGE = {"name": "app", "dependencies": {"bullmq": "5.61.0", "prom-client": "15.0.0"}}


@cache
def checks() -> tuple[binding.Check, ...]:
    entries = [e for e in checklist.load(checklist.builtin()).entries if 31 <= (e.item.number or 0) <= 44]
    return tuple(binding.bind(entries, plugins.probes()))


def scan(root: Path) -> dict[int, Result]:
    """The results of items 31 to 44."""
    entries = [CodeEntry(e.service, e.path, e.line, e.why) for e in entry_points_above(root)]
    taken: dict[type[Snapshot], Snapshot] = {
        CodeModel: collect_code([root], entry_points=entries),
        InfraModel: collect_infra([root]),
        Observability: collect_prom([root], None),
    }
    results = engine.run(
        checks(),
        lambda wanted: taken.get(wanted) or Unavailable(wanted.source, Cause.SOURCE_NOT_GIVEN, "not given"),
        lambda _: True,
    )
    return {r.item.number: r for r in results if r.item.number is not None}


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_project(case: dict[str, Any], tmp_path: Path) -> None:
    main = next(path for path in case["files"] if path.startswith("src/"))
    start = {**PACKAGE, "scripts": {"start": f"node {main.replace('.ts', '.js')}"}}
    for path, text in {"package.json": json.dumps(start), **case["files"]}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    results = scan(tmp_path)
    got = {number: results[number].verdict.status.value for number in case["expect"]}
    told = {n: results[n].verdict.reason for n in got if got[n] != case["expect"][n]}
    assert got == case["expect"], told
    for number, words in case.get("says", {}).items():
        verdict = results[number].verdict
        assert words in "\n".join([verdict.reason, *(f.message for f in verdict.findings)])


def test_each_line_of_the_sound_project_carries_its_items(tmp_path: Path) -> None:
    """Taking a metric, a rule or a panel away turns its own items and no other."""
    sound = CASES[0]["files"]
    cuts = {
        "app_dead_letters": ("src/worker.ts", "this.set(await deadLetters.getWaitingCount());", {36: "fail", 43: "fail"}),
        "app_workers": ("src/worker.ts", "this.set((await mail.getWorkers()).length);", {37: "fail", 42: "fail"}),
        "stalls": ("src/worker.ts", "stalls.inc({ queue: 'mail' })", {40: "fail"}),
        "durations": ("src/worker.ts", "seconds.observe({ queue: 'mail' }, (job.finishedOn! - job.processedOn!) / 1000);", {35: "fail"}),
        "backlog": ("rules.yml", "- {alert: Backlog, expr: 'app_queue_jobs{state=\"waiting\"} > 1000', for: 5m}", {39: "fail"}),
        "rule files": ("prometheus.yml", "rules.yml", {39: "fail", 40: "fail", 41: "fail", 42: "fail", 43: "fail"}),
        "the page": ("src/worker.ts", "await register.metrics()", {31: "fail", 32: "fail", 33: "fail", 35: "fail", 36: "fail", 37: "fail", 39: "fail", 40: "fail", 41: "fail", 42: "fail", 43: "fail", 44: "fail"}),
    }  # fmt: skip
    for name, (file, text, expected) in cuts.items():
        root = tmp_path / name
        for path, content in {
            "package.json": json.dumps({**PACKAGE, "scripts": {"start": "node src/worker.js"}}),
            **sound,
        }.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            assert path != file or text in content, f"{name}: the cut is stale"
            (root / path).write_text(
                content.replace(text, "''" if file.endswith(".ts") else "") if path == file else content
            )
        moved = {n: r.verdict.status.value for n, r in scan(root).items() if r.verdict.status is not Status.PASS}
        assert moved == expected, name
