"""A scan from request to report: the one place that knows every part.

Order: infra reads files first and yields entry points; code takes them; live and prom start at once with what needs
no names, and take queue and metric names when code is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import auditor
from auditor import binding, checklist, engine, gate, plugins, selection, waivers
from auditor.code.model import CodeModel, EntryPoint, ServiceConfig
from auditor.errors import UsageError
from auditor.evidence import Broken, Collector, Store
from auditor.gate import Policy
from auditor.infra.model import InfraModel
from auditor.live.address import Address
from auditor.live.budget import Budget
from auditor.live.model import LiveRedis
from auditor.model import (
    Cause,
    FileDigest,
    Item,
    PrometheusTarget,
    RedisTarget,
    Report,
    Result,
    Snapshot,
    SourceReport,
    SourceStatus,
    Summary,
    Targets,
    TreeTarget,
    Unavailable,
)
from auditor.prom.model import Observability
from auditor.summary import summarise
from auditor.waivers import Attestation, WaiverRule
from auditor.yamlfile import Located

if TYPE_CHECKING:
    from auditor.prom.address import PrometheusAddress

_S = TypeVar("_S", bound=Snapshot)

NOTHING_GIVEN = "nothing to scan: give at least one source"
HOW_TO_GIVE = "tt-audit scan redis://HOST:6379 · tt-audit scan --code . · --infra . · --prometheus URL · or set REDIS_URL, or write tt-audit.yaml"


@dataclass(frozen=True, slots=True)
class Request:
    """All that a scan is told."""

    redis: tuple[Address, ...] = ()
    code: tuple[Path, ...] = ()
    infra: tuple[Path, ...] = ()
    prometheus: PrometheusAddress | None = None
    exclude: tuple[str, ...] = ()
    services: tuple[ServiceConfig, ...] = ()
    only_services: tuple[str, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    checklists: tuple[Path, ...] = ()
    plugins: tuple[Path, ...] = ()
    params: Mapping[str, Located] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    timeout: float = 120.0
    """Seconds for all sources together."""
    policy: Policy = field(default_factory=Policy)
    waivers: tuple[WaiverRule, ...] = ()
    attestations: tuple[Attestation, ...] = ()
    baseline: frozenset[str] = frozenset()
    config: FileDigest | None = None


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
    store = Store(_collectors(request, progress), deadline=begun + request.timeout)
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
    sources = tuple(_source_reports(snapshots.values()))
    outcome = gate.judge(request.policy, results, summary, sources, empty=_empty(snapshots))
    report = Report(
        version=auditor.__version__,
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=round(time.monotonic() - begun, 3),
        checklist=loaded.digest,
        config=request.config,
        limits=_limits(request),
        targets=_targets(request, snapshots),
        sources=sources,
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
    code = _collect_code(alone, nothing, time.monotonic() + request.timeout)
    return _only_services(code, request.only_services) if request.only_services else code


Given = Snapshot | Unavailable | Broken


def _collectors(request: Request, progress: Callable[[str], None]) -> dict[type[Snapshot], Collector]:
    collectors: dict[type[Snapshot], Collector] = {}
    if request.infra:
        collectors[InfraModel] = lambda store: _infra(request, store, progress)
    if request.code:
        collectors[CodeModel] = lambda store: _code(request, store, progress)
    if request.redis:
        collectors[LiveRedis] = lambda store: _live(request, store, progress)
    if request.infra or request.prometheus:
        collectors[Observability] = lambda store: _prom(request, store, progress)
    return collectors


def _infra(request: Request, store: Store, progress: Callable[[str], None]) -> Snapshot:
    from auditor.infra.collect import collect

    progress("reading infra files")
    return collect(request.infra, exclude=request.exclude, deadline=store.deadline)


def _code(request: Request, store: Store, progress: Callable[[str], None]) -> Snapshot:
    progress("reading code")
    return _collect_code(request, store.get(InfraModel), store.deadline)


def _collect_code(request: Request, infra: Given, deadline: float) -> CodeModel:
    from auditor.code.collect import collect

    return collect(
        request.code,
        exclude=request.exclude,
        kinds=request.kinds,
        roles=request.roles,
        services=request.services,
        entry_points=entry_points(request, infra),
        deadline=deadline,
    )


def entry_points(request: Request, infra: Given) -> Sequence[EntryPoint]:
    """Files that deployments and start scripts run; without --infra, those that the code's own repository names."""
    from auditor.infra.collect import entry_points_above

    if isinstance(infra, InfraModel):
        return infra.entry_points
    return [entry for root in request.code if root.exists() for entry in entry_points_above(root)]


def _live(request: Request, store: Store, progress: Callable[[str], None]) -> Snapshot:
    from auditor.live.collect import collect

    def names() -> Collection[str]:
        code = store.get(CodeModel)
        if not isinstance(code, CodeModel):
            return ()
        sites = (
            *(q.name for q in code.queues if q.name),
            *(n for p in code.producers for n in p.queue),
            *(n for w in code.workers for n in w.queue),
        )
        return sorted(set(sites))

    progress("reading Redis")
    return collect(request.redis, names=names, budget=request.budget, deadline=store.deadline)


def _prom(request: Request, store: Store, progress: Callable[[str], None]) -> Snapshot:
    from auditor.prom.collect import collect

    progress("reading rules and dashboards")
    return collect(request.infra, request.prometheus, exclude=request.exclude, deadline=store.deadline)


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
    )


def _split(results: list[Result]) -> tuple[list[Result], list[Result]]:
    """The numbered items and the rest; a checklist that numbers nothing is all main."""
    numbered = [result for result in results if result.item.number is not None]
    return (numbered, [r for r in results if r.item.number is None]) if numbered else (results, [])


def _source_reports(snapshots: Iterable[Given]) -> Iterable[SourceReport]:
    for got in snapshots:
        if isinstance(got, Broken):
            yield SourceReport(got.source, SourceStatus.UNAVAILABLE, got.why, ended_early=True)
        elif isinstance(got, Unavailable):
            if got.report is not None:
                yield got.report
        elif isinstance(got, LiveRedis | Observability):
            yield got.report
        elif isinstance(got, CodeModel):
            yield _tree_report("code", got.trees, got.ended_early)
        elif isinstance(got, InfraModel):
            yield _tree_report("infra", got.trees, False)


def _tree_report(name: str, trees: Sequence[TreeTarget], ended_early: bool) -> SourceReport:
    skipped = [skipped for tree in trees for skipped in tree.files_skipped]
    why = f"{len(skipped)} files were not read, the first: {skipped[0].path} ({skipped[0].why})" if skipped else ""
    why = "the deadline passed before everything was followed (--timeout)" if ended_early else why
    return SourceReport(name, SourceStatus.PARTIAL if why else SourceStatus.OK, why, ended_early=ended_early)


def _empty(snapshots: Mapping[type[Snapshot], Given]) -> bool:
    """Whether code or live Redis was read, and neither shows any queue, producer or worker."""
    code, live = snapshots[CodeModel], snapshots[LiveRedis]
    looked = [code.empty] if isinstance(code, CodeModel) else []
    if isinstance(live, LiveRedis):
        looked.append(not live.queues)
    return bool(looked) and all(looked)


def _targets(request: Request, snapshots: Mapping[type[Snapshot], Given]) -> Targets:
    code, infra, live = snapshots[CodeModel], snapshots[InfraModel], snapshots[LiveRedis]
    return Targets(
        redis=live.targets
        if isinstance(live, LiveRedis)
        else tuple(RedisTarget(address.endpoint, db=address.db) for address in request.redis),
        code=code.trees if isinstance(code, CodeModel) else tuple(TreeTarget(str(path)) for path in request.code),
        infra=infra.trees if isinstance(infra, InfraModel) else tuple(TreeTarget(str(path)) for path in request.infra),
        prometheus=(PrometheusTarget(request.prometheus.endpoint),) if request.prometheus else (),
    )


def _limits(request: Request) -> dict[str, int | float | str | bool]:
    limits: dict[str, int | float | str | bool] = {"timeout": request.timeout}
    if request.redis:
        limits |= {
            "max_commands": request.budget.commands,
            "max_keys": request.budget.keys,
            "max_seconds": request.budget.seconds,
            "sample": request.budget.sample,
        }
    return limits


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
