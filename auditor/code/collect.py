"""The one public way in: folders of code to a `CodeModel`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.code.evaluation.evaluate import Evaluator
from auditor.code.evaluation.flow import Flow
from auditor.code.evaluation.values import Value
from auditor.code.garbage import without_collecting
from auditor.code.metrics import find as metrics_
from auditor.code.model import CodeModel, EntryPoint, ServiceConfig
from auditor.code.queues import finish, misuse
from auditor.code.queues.connections import Connections
from auditor.code.queues.contexts import Contexts, handler_functions
from auditor.code.queues.kinds import with_kinds
from auditor.code.queues.placing import Placing
from auditor.code.queues.producers import Producers
from auditor.code.queues.queue_objects import QueueObjects
from auditor.code.queues.workers import Workers
from auditor.code.reach import elsewhere, reach
from auditor.code.relocate import relocated
from auditor.code.running.liveness import Liveness
from auditor.code.running.processes import Processes
from auditor.code.running.reachable import Reachable
from auditor.code.running.shutdown import Shutdown
from auditor.code.sites import find as sites_
from auditor.code.sites import nest as nest_
from auditor.code.sites import nest_classes
from auditor.code.sites.candidates import candidates
from auditor.code.sites.enqueues import JOB_OPTIONS
from auditor.code.sites.handlers import functions
from auditor.code.sites.listeners import Listeners
from auditor.code.sites.nest_classes import Processor
from auditor.code.sites.raw import Sites
from auditor.code.source.program import Program
from auditor.code.source.services import Services
from auditor.code.source.versions import Versions
from auditor.code.syntax.facts import Function
from auditor.errors import SourceError
from auditor.model import Cause, CodeSpan, SkippedFile, TreeTarget
from auditor.opening import Disk

_CLOSING = ("workers.closed_on", "workers.forced_close", "processes.signals", "processes.exits_first")
_HEARD = ("workers.listeners",)
_KINDS = ("producers.kind", "workers.kind")
_PER_CALL = ("queues.per_call", "producers.in_handler", "connections")


def collect(
    roots: Sequence[Path],
    *,
    exclude: Sequence[str] = (),
    kinds: Mapping[str, str] = {},
    roles: Mapping[str, str] = {},
    services: Sequence[ServiceConfig] = (),
    entry_points: Sequence[EntryPoint] = (),
    deadline: float | None = None,
    disk: Disk | None = None,
) -> CodeModel:
    """What the code beneath `roots` shows.

    `kinds` maps queue or job names to kinds, `roles` maps own functions to roles; `deadline` is a `time.monotonic()`
    after which nothing more is followed; `disk` is what files are read through. Raises SourceError where a root does not exist; anything else costs its own file.
    """
    for root in roots:
        if not root.exists():
            raise SourceError(
                f"no such folder: {root}", "give --code a folder of TypeScript or JavaScript", Cause.SOURCE_NOT_GIVEN
            )
    with without_collecting():
        return _collect(roots, Program(roots, exclude, deadline, disk), kinds, roles, services, entry_points)


def _collect(
    roots: Sequence[Path], program: Program, kinds: Mapping[str, str], roles: Mapping[str, str], services: Sequence[ServiceConfig], entry_points: Sequence[EntryPoint]
) -> CodeModel:  # fmt: skip
    ev, gaps = Evaluator(program), program.gaps
    modules = candidates(program)
    nest = nest_.collect(ev, modules)
    found = sites_.find(ev, modules)
    processors = nest_classes.processors(ev, modules)

    reachable = gaps.take("entry points", ("processes",), lambda: Reachable(program, entry_points, modules), None)
    liveness = Liveness(ev, reachable if reachable is not None else Reachable(program, (), ()))
    is_live = liveness.is_live
    services_ = Services(program, services, [module.path for module in modules])
    flow, versions = Flow(ev), Versions(program.packages)
    placing = Placing(is_live, services_.of, versions)
    run = tuple(entry.path for entry in liveness.entries if entry.runner == "fastify-cli")
    shutdown = gaps.take(
        "shutdown", _CLOSING, lambda: Shutdown(ev, flow, found, modules, versions, liveness.reached, run), None
    )
    listeners = gaps.take("listeners", _HEARD, lambda: Listeners(ev, found, processors, modules, is_live), None)
    builder = QueueObjects(ev, nest, found, placing, gaps)
    queues = builder.all()
    defaulted = gaps.take("defaults of queues", (), builder.defaulted, JOB_OPTIONS)
    producers = Producers(ev, nest, placing, defaulted, gaps).all(found.producers)
    consuming = Workers(ev, nest, placing, listeners, shutdown, gaps)
    workers = consuming.all(found.workers, processors)
    heard = listeners.handlers if listeners is not None else {}

    program.frugal = True
    walker = reach.effects_of(ev, flow, found, roles)
    reached = reach.reaching(walker, workers, consuming.nodes, heard, gaps)
    jobs, consumers = gaps.take(
        "kinds of jobs", _KINDS, lambda: with_kinds(producers, reached, kinds), (tuple(producers), reached)
    )
    handlers: list[Function] = []
    handlers = gaps.take("handlers", _PER_CALL, lambda: _running(ev, found, processors, heard), handlers)
    contexts = gaps.take("what runs per job", _PER_CALL, lambda: Contexts(ev, flow, handlers), None)
    contexts = contexts or Contexts(ev, flow, [])
    jobs = finish.producers(ev, flow, jobs, found, consumers, contexts)
    objects = finish.queues(queues, found, contexts, gaps)
    metrics = gaps.take(
        "metrics",
        ("metrics",),
        lambda: metrics_.find(
            ev, is_live, services_.of, consumers, liveness.reached, lambda files: liveness.within(files).is_live
        ),
        None,
    )
    living = liveness.living if liveness.known else None
    around = gaps.take(
        "calls outside of jobs", ("elsewhere",), lambda: elsewhere.find(walker, consumers, is_live, living), None
    )
    model = CodeModel(
        trees=(),
        services=services_.names,
        entry_points_known=liveness.known,
        queues=objects,
        producers=jobs,
        workers=consumers,
        processes=gaps.take(
            "processes",
            ("processes",),
            lambda: Processes(ev, liveness, shutdown, services_, modules, consuming.nodes).all(consumers),
            (),
        ),
        connections=gaps.take(
            "connections",
            ("connections",),
            lambda: Connections(ev, found, nest, contexts, is_live, services_.of).all(),
            (),
        ),
        metrics=metrics or (),
        metrics_known=metrics is not None,
        elsewhere=around or (),
        elsewhere_known=around is not None,
        entry_points=(*liveness.entries, *liveness.guessed),
        misuses=gaps.take(
            "misuse",
            ("misuses",),
            lambda: misuse.find(ev, found, objects, jobs, consumers, versions, is_live, services_.of),
            (),
        ),
        ended_early=program.late,
    )
    trees = tuple(_target(program, root) for root in roots)
    return relocated(replace(model, trees=trees, gaps=tuple(gaps.found)), program.tree)


def _running(
    ev: Evaluator, found: Sites, processors: list[Processor], heard: Mapping[tuple[str, CodeSpan], Value]
) -> list[Function]:
    """All functions that process jobs or listen to what becomes of them, those behind a package's wrapper too."""
    wrapped = [one.fact for raw in found.workers for value in raw.handlers for one in functions(ev, value)]
    return list({id(one): one for one in (*handler_functions(found, processors, heard), *wrapped)}.values())


def _target(program: Program, root: Path) -> TreeTarget:
    """What was read beneath one root, and what was not; paths are relative to it."""
    prefix = program.tree.relative(root.resolve())
    lead = "" if prefix == "." else prefix + "/"
    skipped = [
        SkippedFile(one.path[len(lead) :], one.why, one.meant)
        for one in program.tree.skipped
        if one.path.startswith(lead) or one.path == prefix
    ]
    skipped += [
        SkippedFile(gap.path[len(lead) :], f"looking for {gap.phase} broke: {gap.why}")
        for gap in program.gaps.found
        if gap.path and (gap.path.startswith(lead) or gap.path == prefix)
    ]
    read = sum(path.startswith(lead) or path == prefix for path in program.tree.paths)
    return TreeTarget(str(root), files_read=read, files_skipped=tuple(skipped))
