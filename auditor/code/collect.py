"""The one public way in: folders of code to a `CodeModel`."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from pathlib import Path

from auditor.code import elsewhere, finish, misuse, reach
from auditor.code import metrics as metrics_
from auditor.code import nest as nest_
from auditor.code import sites as sites_
from auditor.code.assemble import Assembler
from auditor.code.connections import Connections
from auditor.code.contexts import Contexts, handler_functions
from auditor.code.evaluate import Evaluator
from auditor.code.flow import Flow
from auditor.code.kinds import with_kinds
from auditor.code.liveness import Liveness
from auditor.code.model import CodeModel, EntryPoint, ServiceConfig
from auditor.code.processes import Processes
from auditor.code.program import Program
from auditor.code.relocate import relocated
from auditor.code.services import Services
from auditor.code.shutdown import Shutdown
from auditor.code.versions import Versions
from auditor.errors import SourceError
from auditor.model import Cause, SkippedFile, TreeTarget


def collect(
    roots: Sequence[Path],
    *,
    exclude: Sequence[str] = (),
    kinds: Mapping[str, str] = {},
    roles: Mapping[str, str] = {},
    services: Sequence[ServiceConfig] = (),
    entry_points: Sequence[EntryPoint] = (),
    deadline: float | None = None,
) -> CodeModel:
    """What the code beneath `roots` shows.

    `kinds` maps queue or job names to kinds, `roles` maps own functions to roles; `deadline` is a `time.monotonic()`
    after which nothing more is followed. Raises SourceError where a root does not exist; anything else costs its own file.
    """
    for root in roots:
        if not root.exists():
            raise SourceError(
                f"no such folder: {root}", "give --code a folder of TypeScript or JavaScript", Cause.SOURCE_NOT_GIVEN
            )
    collecting = gc.isenabled()
    gc.disable()  # a scan makes many small objects and few cycles of garbage: looking for them costs as much as the walk
    try:
        return _collect(roots, Program(roots, exclude, deadline), kinds, roles, services, entry_points)
    finally:
        if collecting:
            gc.enable()


def _collect(
    roots: Sequence[Path], program: Program, kinds: Mapping[str, str], roles: Mapping[str, str], services: Sequence[ServiceConfig], entry_points: Sequence[EntryPoint]
) -> CodeModel:  # fmt: skip
    ev = Evaluator(program)
    modules = sites_.candidates(program)
    nest = nest_.collect(ev, modules)
    found = sites_.find(ev, modules)
    processors = list(nest_.processors(ev, modules))

    liveness = Liveness(ev, entry_points, modules)
    is_live = liveness.is_live
    services_ = Services(program, services, [module.path for module in modules])
    flow, versions = Flow(ev), Versions(program.packages)
    shutdown = Shutdown(ev, flow, found, modules, versions)
    assembler = Assembler(ev, nest, found, processors, modules, is_live, services_.of, shutdown, versions)
    queues, producers, workers = assembler.queues(), assembler.producers(), assembler.workers()
    program.frugal = True
    walker = reach.effects_of(ev, flow, found, roles)
    reached = reach.reaching(walker, workers, assembler.worker_nodes, assembler.listeners.handlers)
    jobs, consumers = with_kinds(producers, reached, kinds)
    contexts = Contexts(ev, flow, handler_functions(found, processors, assembler.listeners.handlers))
    jobs = finish.producers(ev, flow, jobs, found, consumers, contexts)
    objects = finish.queues(queues, found, contexts)
    model = CodeModel(
        trees=tuple(_target(program, root) for root in roots),
        services=services_.names,
        entry_points_known=liveness.known,
        queues=objects,
        producers=jobs,
        workers=consumers,
        processes=Processes(ev, liveness, shutdown, services_, modules).all(consumers),
        connections=Connections(ev, found, nest, contexts, is_live, services_.of).all(),
        metrics=metrics_.find(ev, is_live, services_.of, consumers, liveness.reached),
        metrics_known=True,
        elsewhere=elsewhere.find(walker, consumers, is_live),
        elsewhere_known=True,
        entry_points=(*liveness.entries, *liveness.guessed),
        misuses=misuse.find(ev, found, objects, jobs, consumers, versions, is_live, services_.of),
        ended_early=program.late,
    )
    return relocated(model, program.tree)


def _target(program: Program, root: Path) -> TreeTarget:
    """What was read beneath one root, and what was not; paths are relative to it."""
    prefix = program.tree.relative(root.resolve())
    lead = "" if prefix == "." else prefix + "/"
    skipped = [
        SkippedFile(one.path[len(lead) :], one.why)
        for one in program.tree.skipped
        if one.path.startswith(lead) or one.path == prefix
    ]
    read = sum(path.startswith(lead) or path == prefix for path in program.tree.paths)
    return TreeTarget(str(root), files_read=read, files_skipped=tuple(skipped))
