"""A scan from request to report: sources read side by side, items decided, the gate judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import auditor
from auditor import binding, checklist, engine, gate, plugins, selection, sources, waivers
from auditor.code.model import CodeModel
from auditor.errors import UsageError
from auditor.evidence import Store
from auditor.infra.model import InfraModel
from auditor.inventory import only_services
from auditor.live.model import LiveRedis
from auditor.model import Item, Report, Result, Snapshot, Summary
from auditor.prom.model import Observability
from auditor.request import Request
from auditor.sources import Given
from auditor.summary import summarise
from auditor.yamlfile import Located

__all__ = ["Outcome", "Request", "checks_of", "scan"]

NOTHING_GIVEN = "nothing to scan: give at least one source"
HOW_TO_GIVE = "tt-audit scan redis://HOST:6379 · tt-audit scan --code . · --infra . · --prometheus URL · or set REDIS_URL, or write tt-audit.yaml"

_WAIT_FOR_A_CHECK = ("worker.stalled_interval", "queue.orphans")
"""Probes for which a live scan may wait until it sees a worker's check for stalled jobs."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A report, and what a person should be told beside it."""

    report: Report
    warnings: tuple[str, ...]


def checks_of(request: Request) -> tuple[checklist.Checklist, tuple[binding.Check, ...]]:
    """The checklist with every item bound to its probe. Raises ChecklistError, PluginError."""
    loaded = checklist.load(*request.checklists)
    entries = [_with_params(entry, request.params.get(entry.item.id)) for entry in loaded.entries]
    return loaded, binding.bind(entries, plugins.probes(request.plugins))


def scan(request: Request, progress: Callable[[str], None] = lambda _: None) -> Outcome:
    """Read the sources, decide the items, judge the gate.

    Raises AuditError where the request itself is wrong; a source that fails costs its own items only.
    """
    begun, started = time.monotonic(), datetime.now(UTC)
    if not (request.redis or request.code or request.infra or request.prometheus):
        raise UsageError(NOTHING_GIVEN, HOW_TO_GIVE)
    loaded, checks = checks_of(request)
    chosen = selection.selector([check.item for check in checks], request.only, request.skip)
    if not any(chosen(check.item) and check.probe.name in _WAIT_FOR_A_CHECK for check in checks):
        request = replace(request, budget=replace(request.budget, patience_s=0.0))
    store = Store(sources.collectors(request, progress), deadline=begun + request.timeout)
    store.start()
    snapshots: dict[type[Snapshot], Given] = {
        wanted: store.get(wanted) for wanted in (InfraModel, CodeModel, LiveRedis, Observability)
    }
    code = snapshots[CodeModel]
    if isinstance(code, CodeModel) and request.only_services:
        snapshots[CodeModel] = only_services(code, request.only_services)
    progress("judging")
    results, warnings = _decide(checks, snapshots, chosen, request, started)
    main, extra = _split(results)
    summary = summarise(main)
    read = tuple(sources.source_reports(snapshots.values()))
    outcome = gate.judge(request.policy, results, summary, read, empty=sources.is_empty(snapshots))
    report = Report(
        version=auditor.__version__,
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=round(time.monotonic() - begun, 3),
        checklist=loaded.digest,
        config=request.config,
        limits=sources.limits(request),
        targets=sources.targets(request, snapshots),
        sources=read,
        results=tuple(main),
        extra=tuple(extra),
        summary=summary,
        services=_by_service(checks, snapshots, chosen, request, started),
        gate=outcome,
    )
    return Outcome(report, tuple(warnings))


def _decide(
    checks: Sequence[binding.Check],
    snapshots: Mapping[type[Snapshot], Given],
    chosen: Callable[[Item], bool],
    request: Request,
    started: datetime,
) -> tuple[list[Result], list[str]]:
    results = engine.run(checks, lambda wanted: snapshots[wanted], chosen)
    return waivers.apply(results, request.waivers, request.attestations, request.baseline, started.date())


def _by_service(
    checks: Sequence[binding.Check],
    snapshots: Mapping[type[Snapshot], Given],
    chosen: Callable[[Item], bool],
    request: Request,
    started: datetime,
) -> dict[str, Summary]:
    """A summary per service over the items that code decides; empty where there is one service only."""
    code = snapshots[CodeModel]
    if not isinstance(code, CodeModel) or len(code.services) < 2:
        return {}
    on_code = [check for check in checks if check.item.number is not None and CodeModel.source in check.probe.sources]
    summaries = {}
    for service in code.services:
        narrowed = {**snapshots, CodeModel: only_services(code, (service,))}
        summaries[service] = summarise(_decide(on_code, narrowed, chosen, request, started)[0])
    return summaries


def _split(results: list[Result]) -> tuple[list[Result], list[Result]]:
    """The numbered items and the rest; a checklist that numbers nothing is all main."""
    numbered = [result for result in results if result.item.number is not None]
    return (numbered, [r for r in results if r.item.number is None]) if numbered else (results, [])


def _with_params(entry: checklist.Entry, overrides: Located | None) -> checklist.Entry:
    if overrides is None or not isinstance(overrides.value, dict) or not isinstance(entry.params.value, dict):
        return entry
    merged = Located({**entry.params.value, **overrides.value}, entry.params.line)
    return replace(
        entry,
        params=merged,
        item=replace(
            entry.item, params={k: v.plain() for k, v in merged.value.items()} if isinstance(merged.value, dict) else {}
        ),
    )
