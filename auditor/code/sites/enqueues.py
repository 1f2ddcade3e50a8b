"""Calls that enqueue, by each library's signatures: `add`, `addBulk`, flows, schedulers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers
from auditor.code.evaluation.values import (
    UNDEFINED,
    Array,
    Frame,
    LibraryObject,
    Literal,
    Object,
    Template,
    Unknown,
    Value,
    is_nothing,
    options_of,
)
from auditor.code.sites import patches
from auditor.code.sites.raw import RawProducer, Sites, Variant
from auditor.code.sites.targets import called_on, expansions, receiver, targets_of
from auditor.code.syntax.facts import Call

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator


JOB_OPTIONS = frozenset(
    (
        "attempts", "backoff", "delay", "jobId", "lifo", "priority", "removeOnComplete", "removeOnFail", "repeat", "timeout", "stackTraceLimit",
        "deduplication", "debounce", "parent", "sizeLimit", "keepLogs", "failParentOnFailure", "removeDependencyOnFailure", "preventParsingData",
        "ignoreDependencyOnFailure", "continueParentOnFailure", "telemetry", "timestamp", "repeatJobKey", "rateLimiterKey",
    )
)  # fmt: skip


def read(ev: Evaluator, call: Call, found: Sites) -> None:
    """Note a call that enqueues, in each of the contexts in which it runs."""
    if not called_on(ev, call, lambda target: target.name in ("Queue", "FlowProducer")):
        return
    variants: list[Variant] = []
    for turn in expansions(ev, call):
        if not callers.feasible(ev, call.context, call.scope, turn):
            continue
        targets = list(targets_of(ev, receiver(ev, call, turn)))
        given = _given(ev, call, turn, whole=any(target.name == "FlowProducer" for target in targets))
        for target in targets:
            if target.name == "Queue":
                variants.extend(_queued(ev, call.name, target, given, turn))
            elif target.name == "FlowProducer":
                variants.extend(_flow(ev, call.name, target, given, turn))
    if not variants:
        targets = list(targets_of(ev, receiver(ev, call, None)))
        given = _given(ev, call, None, whole=any(target.name == "FlowProducer" for target in targets))
        for target in targets:
            variants.extend(
                _queued(ev, call.name, target, given, None)
                if target.name == "Queue"
                else _flow(ev, call.name, target, given, None)
            )
    found.producers.append(RawProducer(call, patches.applied(ev, call.name, variants, found.patches)))


_EFFORT = ((5_000, 12), (1_500, 4), (60_000, 200))
"""(steps, files) that the arguments of an enqueue are worth: name, data, options."""


def _given(ev: Evaluator, call: Call, frame: Frame | None, whole: bool) -> tuple[Value, ...]:
    """The arguments of an enqueue; data is looked at with less effort than options, unless one holds all (`whole`)."""
    found: list[Value] = []
    nodes = call.arguments()
    if any(node.type == "spread_element" for node in nodes):
        return callers.given(ev, call, frame)
    for index, node in enumerate(nodes):
        last = index == len(nodes) - 1 and index > 0
        most = whole or last or call.name != "add" or len(nodes) == 1
        steps, files = _EFFORT[2] if most else _EFFORT[min(index, 2)]
        value = ev.within(lambda node=node: ev.eval(node, call.scope, frame), steps, files)  # type: ignore[misc]  # mypy cannot type a default in a lambda
        found.append(
            value if value is not None else Unknown("it depends on too much", call.scope.module.text(node)[:40])
        )
    return tuple(found)


def _queued(
    ev: Evaluator, method: str, target: LibraryObject, given: tuple[Value, ...], frame: Frame | None
) -> Iterator[Variant]:
    queue = target.arguments[0] if target.arguments else Unknown("which queue it is", "queue")
    if method in ("addBulk", "addJobs"):
        for job in _elements(given):
            yield Variant(
                target, ev.member(job, "name"), ev.member(job, "data"), [ev.member(job, "opts")], queue, None,
                ev.member(ev.member(job, "opts"), "repeat"), frame, where=getattr(job, "where", None),
            )  # fmt: skip
        return
    if method == "upsertJobScheduler":
        template = callers.argument(given, 2)
        job = ev.member(template, "name") if not is_nothing(template) else UNDEFINED
        scheduler = callers.argument(given, 0)
        yield Variant(
            target, job if not is_nothing(job) else scheduler, ev.member(template, "data"), [ev.member(template, "opts")], queue,
            scheduler, callers.argument(given, 1), frame,
        )  # fmt: skip
        return
    name, data, options = (callers.argument(given, index) for index in range(3))
    if target.library == "bull" and not _is_name(name, data, given):
        name, data, options = Literal("__default__"), name, data
    repeat = ev.member(options, "repeat") if not is_nothing(options) else UNDEFINED
    scheduler_ = None
    if any(isinstance(o, Object) and not is_nothing(o.members.get("repeat", UNDEFINED)) for o in options_of(options)):
        scheduler_ = next(
            (v for key in ("key", "jobId") if not is_nothing(v := ev.member(repeat, key))), ev.member(options, "jobId")
        )
        scheduler_ = name if is_nothing(scheduler_) else scheduler_
    yield Variant(target, name, data, [options], queue, scheduler_, repeat, frame)


def _is_name(first: Value, second: Value, given: tuple[Value, ...]) -> bool:
    """Whether Bull's `add(name, data, opts)` is meant, not `add(data, opts)`."""
    if len(given) >= 3:
        return True
    for option in options_of(first):
        if isinstance(option, Object | Array):
            return False
        if isinstance(option, Literal | Template):
            return isinstance(option, Template) or isinstance(option.value, str)
    if len(given) < 2:
        return False
    return not any(isinstance(o, Object) and o.members and set(o.members) <= JOB_OPTIONS for o in options_of(second))


def _elements(given: tuple[Value, ...]) -> Iterator[Value]:
    first = callers.argument(given, 0)
    for option in options_of(first):
        if isinstance(option, Array):
            yield from option.items
            if option.rest is not None:
                yield option.rest
        elif not is_nothing(option):
            yield Unknown("elements of a list that is not known", "job")


def _flow(
    ev: Evaluator, method: str, target: LibraryObject, given: tuple[Value, ...], frame: Frame | None
) -> Iterator[Variant]:
    roots = list(_elements(given)) if method == "addBulk" else list(options_of(callers.argument(given, 0)))
    defaults = ev.member(callers.argument(given, 1), "queuesOptions") if len(given) > 1 else UNDEFINED
    for root in roots:
        yield _node(ev, target, root, defaults, frame, 0)


def _node(
    ev: Evaluator, target: LibraryObject, node: Value, defaults: Value, frame: Frame | None, depth: int
) -> Variant:
    queue = ev.member(node, "queueName")
    own = ev.member(node, "opts")
    layers = [own]
    if not is_nothing(defaults):
        for name in options_of(queue):
            if isinstance(name, Literal):
                layers.insert(0, ev.member(ev.member(defaults, str(name.value)), "defaultJobOptions"))
    made = Variant(
        target, ev.member(node, "name"), ev.member(node, "data"), layers, queue, None, ev.member(own, "repeat"), frame
    )
    made.where = getattr(node, "where", None)
    children = ev.member(node, "children") if depth < 6 else UNDEFINED
    for option in options_of(children):
        if isinstance(option, Array):
            for child in (*option.items, *([option.rest] if option.rest is not None else [])):
                for one in options_of(child):
                    made.children.append(_node(ev, target, one, defaults, frame, depth + 1))
    return made
