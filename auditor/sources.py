"""Which collectors a request needs, and what their snapshots say of themselves.

Infra reads files first and yields entry points; code takes them; live and prom start at once with what needs no
names, and take queue names when code is done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from auditor import file_sources, repository
from auditor.cache.memory import Memory, place
from auditor.code.model import CodeModel, is_setting
from auditor.evidence import Broken, Collector, Store
from auditor.gaps import Gap
from auditor.infra.model import InfraModel
from auditor.live.model import LiveRedis
from auditor.model import (
    PrometheusTarget,
    RedisTarget,
    Snapshot,
    SourceReport,
    SourceStatus,
    Targets,
    TreeTarget,
    Unavailable,
)
from auditor.opening import Disk
from auditor.prom.model import Observability
from auditor.request import Request

Given = Snapshot | Unavailable | Broken


def collectors(request: Request, progress: Callable[[str], None]) -> dict[type[Snapshot], Collector]:
    """A collector for each source that the request gives."""
    cache = file_sources.memory(request)
    wanted: dict[type[Snapshot], Collector] = {}
    if request.infra:
        wanted[InfraModel] = lambda store: _infra(request, store, cache, progress)
    if request.code:
        wanted[CodeModel] = lambda store: _code(request, store, cache, progress)
    if request.redis:
        wanted[LiveRedis] = lambda store: _live(request, store, progress)
    if request.infra or request.prometheus:
        wanted[Observability] = lambda store: _prom(request, store, cache, progress)
    return wanted


def _infra(request: Request, store: Store, cache: Memory, progress: Callable[[str], None]) -> Snapshot:
    def fresh(disk: Disk) -> InfraModel:
        from auditor.infra.collect import collect

        return collect(request.infra, exclude=request.exclude, deadline=store.deadline, disk=disk)

    progress("reading infra files")
    asked = (*map(place, request.infra), request.exclude)
    return cache.remembered(InfraModel, asked, fresh, whole=lambda found: found.whole, deadline=store.deadline)


def _code(request: Request, store: Store, cache: Memory, progress: Callable[[str], None]) -> Snapshot:
    progress("reading code")
    infra = store.get(InfraModel)
    starts = infra.entry_points if isinstance(infra, InfraModel) else None
    return file_sources.collect_code(request, starts, store.deadline, cache)


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
        return sorted({name for name in sites if not is_setting(name)})

    progress("reading Redis")
    return collect(request.redis, names=names, budget=request.budget, deadline=store.deadline)


def _prom(request: Request, store: Store, cache: Memory, progress: Callable[[str], None]) -> Snapshot:
    def fresh(disk: Disk) -> Observability:
        from auditor.prom.collect import of_files

        return of_files(request.infra, exclude=request.exclude, deadline=store.deadline, disk=disk)

    progress("reading rules and dashboards")
    asked = (*map(place, request.infra), request.exclude)
    found = cache.remembered(
        Observability, asked, fresh, whole=lambda found: not found.report.ended_early, deadline=store.deadline
    )
    if request.prometheus is None:
        return found
    from auditor.prom.collect import with_live

    return with_live(found, request.prometheus, store.deadline)


def source_reports(snapshots: Iterable[Given]) -> Iterator[SourceReport]:
    """How far each source that was asked for could be read."""
    for got in snapshots:
        if isinstance(got, Broken):
            yield SourceReport(got.source, SourceStatus.UNAVAILABLE, got.why, ended_early=True)
        elif isinstance(got, Unavailable):
            if got.report is not None:
                yield got.report
        elif isinstance(got, LiveRedis | Observability):
            yield got.report
        elif isinstance(got, CodeModel):
            yield _tree_report("code", got.trees, got.ended_early, got.gaps)
        elif isinstance(got, InfraModel):
            yield _tree_report("infra", got.trees, False)


def _tree_report(name: str, trees: Sequence[TreeTarget], ended_early: bool, gaps: Sequence[Gap] = ()) -> SourceReport:
    unread = [skipped for tree in trees for skipped in tree.files_skipped if not skipped.meant]
    counted = "1 file was" if len(unread) == 1 else f"{len(unread)} files were"
    why = f"{counted} not read, the first: {unread[0].path} ({unread[0].why})" if unread else ""
    if gaps:
        more = f", and {len(gaps) - 1} more such faults" if len(gaps) > 1 else ""
        why = f"a fault of tt-audit: {gaps[0].label()}{more}"
    why = "the deadline passed before everything was followed (--timeout)" if ended_early else why
    return SourceReport(name, SourceStatus.PARTIAL if why else SourceStatus.OK, why, ended_early=ended_early)


def is_empty(snapshots: Mapping[type[Snapshot], Given]) -> bool:
    """Whether code or live Redis was read, and neither shows any queue, producer or worker."""
    code, live = snapshots[CodeModel], snapshots[LiveRedis]
    looked = [code.empty and not code.gaps] if isinstance(code, CodeModel) else []
    if isinstance(live, LiveRedis):
        looked.append(not live.queues)
    return bool(looked) and all(looked)


def targets(request: Request, snapshots: Mapping[type[Snapshot], Given]) -> Targets:
    """What the scan was pointed at, with what each target said of itself."""
    code, infra, live = snapshots[CodeModel], snapshots[InfraModel], snapshots[LiveRedis]
    return Targets(
        redis=live.targets
        if isinstance(live, LiveRedis)
        else tuple(RedisTarget(address.endpoint, db=address.db) for address in request.redis),
        code=_at_commit(code.trees)
        if isinstance(code, CodeModel)
        else tuple(TreeTarget(str(path)) for path in request.code),
        infra=_at_commit(infra.trees)
        if isinstance(infra, InfraModel)
        else tuple(TreeTarget(str(path)) for path in request.infra),
        prometheus=(PrometheusTarget(request.prometheus.endpoint),) if request.prometheus else (),
    )


def _at_commit(trees: Iterable[TreeTarget]) -> tuple[TreeTarget, ...]:
    states = ((tree, repository.state(Path(tree.path))) for tree in trees)
    return tuple(replace(tree, commit=commit, dirty=dirty) for tree, (commit, dirty) in states)


def limits(request: Request) -> dict[str, int | float | str | bool]:
    """The bounds that the scan kept to."""
    kept: dict[str, int | float | str | bool] = {"timeout": request.timeout}
    if request.redis:
        kept |= {
            "max_commands": request.budget.commands,
            "max_keys": request.budget.keys,
            "max_seconds": request.budget.seconds,
            "sample": request.budget.sample,
            "max_jobs": request.budget.jobs,
        }
    return kept
