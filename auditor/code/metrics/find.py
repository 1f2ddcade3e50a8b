"""Metrics and boards of a program: what they measure, whether living code feeds them, whether an endpoint gives them out."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.metrics import added as added_
from auditor.code.metrics import boards as boards_
from auditor.code.metrics import declared as sites_
from auditor.code.metrics import library as library_
from auditor.code.metrics import served as served_
from auditor.code.metrics import text as text_
from auditor.code.metrics.declared import Declared
from auditor.code.metrics.feeds import Feed, feeds
from auditor.code.metrics.labels import all_values
from auditor.code.metrics.objects import as_objects
from auditor.code.metrics.program import IsLive, Program, package_of
from auditor.code.metrics.quantities import fits, in_handler
from auditor.code.metrics.quantity import of_name, words_of
from auditor.code.metrics.registries import ANY, DEFAULT, OWN
from auditor.code.metrics.served import OTEL, Outlet
from auditor.code.model import Metric, Quantity, Worker
from auditor.code.queues.kinds import WORDS as KIND_WORDS
from auditor.code.syntax.facts import Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

MOST_FILES = 4_000
"""Files outside of the roots that imports lead to."""
_ASKS = (b"getWorkers", b"isRunning")
_NEAR = 2
_PLAIN = frozenset(("queue", "queues", "job", "jobs", "process", "processing", "service", "app"))


def find(
    ev: Evaluator,
    is_live: IsLive,
    service_of: Callable[[str], str],
    workers: Iterable[Worker] = (),
    entries: Mapping[str, Collection[str]] | None = None,
    within: Callable[[set[str]], IsLive] | None = None,
) -> tuple[Metric, ...]:
    """All metrics and boards, one entry for each quantity that a metric carries. Paths are the program's.

    `entries` gives the files that each entry point reaches, `within` what lives in a process that loads certain files: a
    registry is one for each process, so a gauge that the worker sets is not on the page of the web server.
    """
    paths = _paths(ev)
    declaring = _modules(ev, paths, sites_.WORDS, sites_.MARKS)
    declared = sites_.declared(ev, declaring)
    declared += [m for module in declaring for m in as_objects(module, [d for d in declared if d.module is module])]
    if declared:
        added_.add(ev, declared, _modules(ev, paths, added_.WORDS))
    fed = feeds(ev, declared)
    outlets = served_.outlets(ev, _modules(ev, paths, served_.WORDS, served_.MARKS)) if declaring else []
    program = Program(ev, is_live, service_of, outlets, entries or {}, within)
    workers = tuple(workers)
    handled: dict[tuple[str, int], list[tuple[int, Worker]]] = {}
    for worker in (one for each in workers for one in (each.handlers or (each,))):
        for effect in worker.effects:
            handled.setdefault((effect.span.path, effect.span.start), []).append((len(effect.path), worker))
    found: list[Metric] = []
    for metric in declared:
        found.extend(_metrics(program, metric, _told(metric, fed[metric], handled)))
    for module in declaring:
        found += text_.metrics(module, is_live, service_of)
        found += [m for call in module.calls_named("exportPrometheusMetrics") for m in library_.exported(program, call)]
        found += [m for call in module.calls_named("BullMQOtel") for m in library_.telemetry(program, call)]
    found += library_.of_workers(workers)
    found += library_.endpoints(program, _modules(ev, paths, _ASKS))
    found += [_board(board, service_of) for board in boards_.boards(ev, _modules(ev, paths, boards_.WORDS), is_live)]
    return tuple(sorted(dict.fromkeys(found), key=lambda m: (m.span.path, m.span.start, m.name, m.quantity)))


def _paths(ev: Evaluator) -> list[str]:
    """Files beneath the roots, and those that they import from elsewhere in the repository."""
    program = ev.program
    paths = dict.fromkeys(program.tree.paths)
    if program.tree.roots == [program.tree.top]:
        return list(paths)
    queue = deque(paths)
    while queue and len(paths) < len(program.tree.paths) + MOST_FILES:
        for target in program.graph.imports(queue.popleft()):
            if target not in paths:
                paths[target] = None
                queue.append(target)
    return list(paths)


def _modules(
    ev: Evaluator, paths: list[str], words: tuple[bytes, ...], marks: re.Pattern[bytes] | None = None
) -> list[Module]:
    """Files that hold one of the words, and then the pattern: looking for words costs a hundredth of a pattern."""
    program = ev.program
    hit = [path for path in paths if program.mentions(path, words)]
    hit = [
        path for path in hit if marks is None or ((data := program.tree.read(path)) is not None and marks.search(data))
    ]
    return [module for path in hit if (module := program.module(path)) is not None]


def _told(metric: Declared, fed: list[Feed], handled: Mapping[tuple[str, int], list[tuple[int, Worker]]]) -> list[Feed]:
    """The feeds, those in job handlers with what they measure there; `handled` gives how many calls deep in which handler.

    A timer far down the reach of a handler times a call that it makes, unless it is named for what the job does.
    """
    inside = in_handler(metric)

    def told(depth: int, worker: Worker) -> bool:
        return inside is not Quantity.DURATION or depth <= _NEAR or _named_for(metric, worker)

    if inside is None:
        return fed
    return [
        replace(feed, quantities=(inside,))
        if not feed.quantities and any(told(*at) for at in handled.get((feed.module.path, feed.line), ()))
        else feed
        for feed in fed
    ]


def _named_for(metric: Declared, worker: Worker) -> bool:
    """Whether a metric's name speaks of a worker's queue, jobs or kind: `mint_duration_seconds` of mints."""
    subject = {word for name in (*worker.queue, *worker.jobs) for word in words_of(name)} | KIND_WORDS.get(
        worker.kind, frozenset()
    )
    return bool((subject - _PLAIN) & set(words_of(metric.name)))


def _metrics(program: Program, metric: Declared, fed: list[Feed]) -> Iterator[Metric]:
    own_page = None
    if metric.library == "statsd" and metric.call is not None:  # each call sends its own value
        fed = [Feed(metric.module, metric.line, metric.call.scope.func, ())]
        own_page = Outlet((ANY,), metric.module, metric.line, metric.call.scope)
    by_quantity: dict[Quantity, list[Feed]] = {}
    for feed in fed:
        for quantity in feed.quantities:
            by_quantity.setdefault(quantity, []).append(feed)
    open_ = [feed for feed in fed if not feed.quantities]
    named = of_name(metric.name) if fits(metric.kind, of_name(metric.name)) else Quantity.OTHER
    if open_ or not by_quantity:
        by_quantity.setdefault(named, []).extend(open_)
    values = all_values(metric.labels, (feed.labels for feed in fed))
    for quantity, theirs in by_quantity.items():
        served, served_live = program.given_out(own_page or _outlet(program, metric, theirs))
        yield Metric(
            metric.name,
            CodeSpan(metric.module.path, metric.line, metric.end),
            quantity,
            "statsd" if metric.library == "statsd" else metric.kind,
            labels=metric.labels,
            fed_by=tuple(
                dict.fromkeys(CodeSpan(f.module.path, f.line, f.line) for f in _living_first(program, theirs))
            ),
            fed_live=any(program.lives(f.module, f.function) for f in theirs),
            served=served,
            served_live=served_live,
            by_name=not any(quantity in f.quantities for f in theirs),
            service=program.service_of(metric.module.path),
            label_values=values,
        )


def _living_first(program: Program, theirs: list[Feed]) -> list[Feed]:
    return sorted(theirs, key=lambda f: not program.lives(f.module, f.function))


def _outlet(program: Program, metric: Declared, fed: list[Feed]) -> Outlet | None:
    """The place that gives out one of the metric's registries; a living one before a dead one, one nearby before others.

    prom-client's own registry is one for each process: a page of a package that does not import the metric has not got it.
    """
    ev = program.ev

    def gives(outlet: Outlet) -> bool:
        if not program.one_process(outlet, fed):
            return False
        if metric.library == "otel" or OTEL in outlet.registries:
            return metric.library == "otel" and OTEL in outlet.registries
        if OWN in metric.registries or outlet.registries == (OWN,):
            return OWN in metric.registries and program.together(outlet, metric)
        if set(metric.registries) & set(outlet.registries) - {DEFAULT, ANY}:
            return True
        either = ANY in metric.registries or ANY in outlet.registries
        both = either or (DEFAULT in metric.registries and DEFAULT in outlet.registries)
        return both and program.together(outlet, metric)

    found = [outlet for outlet in program.outlets if gives(outlet)]
    home = package_of(ev, metric.module.path)
    return min(
        found,
        key=lambda o: (not program.lives(o.module, o.scope.func), package_of(ev, o.module.path) != home),
        default=None,
    )


def _board(board: boards_.Board, service_of: Callable[[str], str]) -> Metric:
    span = CodeSpan(board.module.path, board.line, board.line)
    mounted = CodeSpan(board.mounted[0], board.mounted[1], board.mounted[1]) if board.mounted is not None else None
    return Metric(
        board.name,
        span,
        Quantity.OTHER,
        "board",
        (),
        (span,),
        board.live,
        mounted,
        board.live and board.mounted_live,
        service=service_of(board.module.path),
        guarded=board.guarded,
    )
