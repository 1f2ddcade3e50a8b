"""A fault of ours costs the facts that it was after, or the file that it was in: nothing else, and nobody takes it for a fact."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from auditor import engine, scan
from auditor.code.collect import collect
from auditor.code.model import CodeModel
from auditor.code.syntax.facts import Call
from auditor.gaps import Gap
from auditor.infra.model import InfraModel
from auditor.model import Report, SourceStatus, Status, Verdict
from auditor.request import Request
from tests.engine.support import check

WORLD = Path(__file__).parents[1] / "worlds" / "healthy"
DONE = {Status.PASS, Status.NOT_APPLICABLE}


def report() -> Report:
    return scan.scan(Request(code=(WORLD,), infra=(WORLD,))).report


@cache
def sound() -> dict[int, Status]:
    return statuses(report())


def statuses(got: Report) -> dict[int, Status]:
    return {r.item.number: r.verdict.status for r in got.results if r.item.number is not None}


def broken(*_: object, **__: object) -> object:
    raise KeyError("an unforeseen shape")


PHASES = [
    pytest.param("auditor.code.sites.nest._read", {1, 2, 4}, {22, 34}, id="registered queues"),
    pytest.param("auditor.code.sites.patches.find", {1, 2}, {22, 34, 38}, id="patched libraries"),
    pytest.param("auditor.code.running.shutdown.Shutdown.__init__", {22}, {1, 34, 38, 73}, id="all shutdown"),
    pytest.param("auditor.code.running.shutdown.Shutdown.closing", {22}, {1, 34, 38, 73}, id="one shutdown"),
    pytest.param("auditor.code.sites.listeners.Listeners.__init__", {34}, {1, 22, 38}, id="all listeners"),
    pytest.param("auditor.code.sites.listeners.Listeners.of_worker", {34}, {1, 22, 38}, id="one worker's listeners"),
    pytest.param("auditor.code.sites.effective.merged", {1, 2, 4}, {22, 34, 38}, id="options of enqueues"),
    pytest.param("auditor.code.queues.workers.worker_options", {16}, {1, 22, 34, 38}, id="options of workers"),
    pytest.param("auditor.code.queues.workers.Workers._built", {16, 22}, {1, 38}, id="workers"),
    pytest.param("auditor.code.queues.queue_objects.QueueObjects._built", set(), {1, 22, 38}, id="queues"),
    pytest.param("auditor.code.reach.effects.Effects.of", {73}, {1, 22, 38}, id="effects"),
    pytest.param("auditor.code.collect.with_kinds", {7}, {1, 22, 38}, id="kinds"),
    pytest.param("auditor.code.queues.payload.of", {67}, {1, 22, 38}, id="payloads"),
    pytest.param("auditor.code.queues.contexts.Contexts.per_call", set(), {1, 22, 38}, id="contexts"),
    pytest.param("auditor.code.running.processes.Processes._process", {23}, {1, 34, 38}, id="processes"),
    pytest.param("auditor.code.queues.connections.Connections._object", set(), {1, 22, 34, 38}, id="connections"),
    pytest.param("auditor.code.metrics.find.find", {31, 32}, {1, 22, 34}, id="metrics"),
    pytest.param("auditor.code.metrics.boards.boards", {44}, {1, 22, 34}, id="boards"),
    pytest.param("auditor.code.reach.elsewhere.find", {76}, {1, 22, 34, 38}, id="calls outside of jobs"),
    pytest.param("auditor.code.queues.misuse.find", set(), {1, 22, 34, 38}, id="misuse"),
    pytest.param("auditor.code.running.reachable.Reachable._closure", {23}, {1, 34}, id="entry points"),
    pytest.param("auditor.code.running.liveness.Liveness._called", set(), {1, 22, 34, 38}, id="callers"),
]


@pytest.mark.parametrize(("target", "costs", "keeps"), PHASES)
def test_a_phase_costs_its_own_facts(
    target: str, costs: set[int], keeps: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sound()
    monkeypatch.setattr(target, broken)
    got = report()
    after = statuses(got)
    (source,) = [source for source in got.sources if source.name == "code"]
    assert (source.status, source.ended_early) == (SourceStatus.PARTIAL, False)
    assert "a fault of tt-audit: looking for" in source.why and "an unforeseen shape" in source.why
    moved = {number: status for number, status in after.items() if status is not before[number]}
    assert set(moved.values()) <= {Status.UNVERIFIED}, moved
    assert costs <= moved.keys(), moved
    assert not keeps & moved.keys(), moved
    assert got.gate is not None and not any("source code" in why for why in got.gate.because)


@pytest.mark.parametrize("target", ["auditor.code.sites.find._construction", "auditor.code.source.program.parse"])
def test_a_file_costs_itself(target: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.ts").write_text(
            f"import {{ Worker }} from 'bullmq';\nnew Worker('{name}', async () => 1);\n"
        )
    module, _, attribute = target.rpartition(".")
    real = getattr(__import__(module, fromlist=[attribute]), attribute)

    def breaks_in_a(first: object, second: object, *rest: object) -> object:
        path = second.scope.module.path if isinstance(second, Call) else first
        return broken() if path == "a.ts" else real(first, second, *rest)

    monkeypatch.setattr(target, breaks_in_a)
    model = collect([tmp_path])
    assert [worker.queue for worker in model.workers] == [("b",)]
    assert [(gap.path, gap.facts) for gap in model.gaps] == [("a.ts", ())]
    (skipped,) = model.trees[0].files_skipped
    assert skipped.path == "a.ts" and "KeyError: 'an unforeseen shape'" in skipped.why and not skipped.meant


def test_nothing_found_beside_a_fault_is_no_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.code.sites.find._visit", broken)
    monkeypatch.setattr("auditor.code.sites.nest_classes._processors", broken)
    after = statuses(report())
    assert {after[number] for number in (1, 16, 73)} == {Status.UNVERIFIED}


def test_a_listener_that_breaks_is_not_taken_for_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(
        "import { Worker } from 'bullmq';\nconst w = new Worker('a', async () => 1);\nw.on('error', console.error);\n"
    )
    monkeypatch.setattr("auditor.code.sites.find._listener", broken)
    model = collect([tmp_path])
    assert "workers.listeners" in model.lost and model.workers[0].listeners == ()


def test_a_failure_that_another_source_proves_stands() -> None:
    """An optional source with lost facts is left out; what remains may still prove a failure."""

    def either(code: CodeModel | None, infra: InfraModel | None) -> Verdict:
        """Fails by infra alone."""
        if code is not None and code.metrics:
            return Verdict(Status.PASS, "by code")
        return Verdict(Status.FAIL, "by infra")

    code = CodeModel((), (), True, (), (), (), (), (), gaps=(Gap("metrics", "", "x", ("metrics",)),))
    held: dict[type, object] = {CodeModel: code, InfraModel: InfraModel()}
    lookup: Callable[[type], object] = lambda wanted: held[wanted]  # noqa: E731  # one line
    (result,) = engine.run([check(either)], lookup, lambda _: True)  # type: ignore[arg-type]  # snapshots by type
    assert (result.verdict.status, result.verdict.reason) == (Status.FAIL, "by infra")
