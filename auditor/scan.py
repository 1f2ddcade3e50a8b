"""A scan from request to report: sources read side by side, items decided, the gate judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import auditor
from auditor import binding, checklist, engine, gate, plugins, selection, sources, waivers
from auditor.code.model import CodeModel
from auditor.errors import UsageError
from auditor.evidence import Store
from auditor.infra.model import InfraModel
from auditor.live.model import LiveRedis
from auditor.model import Cause, Item, Report, Result, Snapshot, Summary, Unavailable
from auditor.prom.model import Observability
from auditor.request import Request
from auditor.sources import Given
from auditor.summary import summarise
from auditor.yamlfile import Located

__all__ = ["Outcome", "Request", "checks_of", "scan", "take_inventory"]

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
        snapshots[CodeModel] = _only_services(code, request.only_services)
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


def take_inventory(request: Request) -> CodeModel:
    """The code alone, with the entry points that its own repository's infra files name.

    Raises SourceError for a path that does not exist.
    """
    roots = request.code or (Path.cwd(),)
    alone = replace(request, code=roots, infra=())
    nothing = Unavailable(InfraModel.source, Cause.SOURCE_NOT_GIVEN, "")
    code = sources.collect_code(alone, nothing, time.monotonic() + request.timeout, sources.memory(alone))
    return _only_services(code, request.only_services) if request.only_services else code


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
        narrowed = {**snapshots, CodeModel: _only_services(code, (service,))}
        summaries[service] = summarise(_decide(on_code, narrowed, chosen, request, started)[0])
    return summaries


def _only_services(code: CodeModel, names: Collection[str]) -> CodeModel:
    unknown = sorted(set(names) - set(code.services))
    if unknown:
        raise UsageError(
            f"--service {', '.join(unknown)}: no such service", f"services found: {', '.join(code.services) or 'none'}"
        )
    return replace(
        code,
        services=tuple(service for service in code.services if service in names),
        queues=tuple(site for site in code.queues if site.service in names),
        producers=tuple(site for site in code.producers if site.service in names),
        workers=tuple(site for site in code.workers if site.service in names),
        processes=tuple(process for process in code.processes if process.service in names),
        connections=tuple(connection for connection in code.connections if connection.service in names),
        metrics=tuple(metric for metric in code.metrics if metric.service in ("", *names)),
    )


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
