"""Where a program touches a queue library: constructions, enqueues, processors, listeners and closings, as raw values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.code.evaluation import callers, classes
from auditor.code.evaluation.values import (
    UNDEFINED,
    External,
    LibraryClass,
    LibraryObject,
    Literal,
    Template,
    Value,
    options_of,
)
from auditor.code.sites import enqueues, patches
from auditor.code.sites.raw import RawClose, RawListener, RawQueue, RawWorker, Sites
from auditor.code.sites.targets import (
    CONSTRUCTED,
    LIBRARIES,
    as_library,
    called_on,
    expansions,
    receiver,
    settled,
    targets_of,
)
from auditor.code.syntax.facts import Call, Import, Module

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

PRODUCING = frozenset(("add", "addBulk", "upsertJobScheduler", "addJobs"))
LISTENING = frozenset(("on", "once", "addListener", "prependListener"))
CLOSING = frozenset(("close", "disconnect"))


def find(ev: Evaluator, modules: list[Module]) -> Sites:
    """All sites in these modules."""
    gaps = ev.program.gaps
    found = Sites(patches=gaps.take("patched libraries", ("producers.options",), lambda: patches.find(ev, modules), []))
    for module in modules:
        for call in module.calls:
            if ev.program.out_of_time():
                return found
            try:
                _visit(ev, call, found)
            except Exception as error:
                gaps.note("uses of the library", _AT_STAKE.get(call.name, ()), error, module.path)
    return found


_AT_STAKE = {
    **dict.fromkeys(LISTENING, ("workers.listeners",)),
    **dict.fromkeys(CLOSING, ("workers.closed_on", "workers.forced_close")),
}
"""What a call that can't be read may have to do with sites in other files."""


def _visit(ev: Evaluator, call: Call, found: Sites) -> None:
    if call.is_new:
        _construction(ev, call, found)
    elif call.name in PRODUCING:
        enqueues.read(ev, call, found)
    elif call.name == "process":
        _process(ev, call, found)
    elif call.name in LISTENING:
        _listener(ev, call, found)
    elif call.name in CLOSING:
        _close(ev, call, found)
    elif call.callee is not None and call.callee.type == "identifier":
        _called_library(ev, call, found)


def _construction(ev: Evaluator, call: Call, found: Sites) -> None:
    if call.callee is None:
        return
    kind = ""
    for option in options_of(ev.eval(call.callee, call.scope)):
        if isinstance(option, LibraryClass) and option.library in LIBRARIES:
            kind = "Queue" if option.name == "*" else option.name
        elif (fact := getattr(option, "fact", None)) is not None and type(option).__name__ == "ClassValue":
            base = classes.library_base(ev, fact)
            kind = base.name if base is not None and base.library in LIBRARIES else kind
    if kind not in CONSTRUCTED:
        return
    objects = _objects(ev, call)
    if kind != "Worker":
        found.queues.append(RawQueue(call, objects))
        return
    found.workers.append(
        RawWorker(
            call,
            objects[0].library if objects else "bullmq",
            objects,
            [callers.argument(o.arguments, 1) for o in objects],
            [callers.argument(o.arguments, 2) for o in objects],
            [],
            [],
        )
    )


def _objects(ev: Evaluator, call: Call) -> list[LibraryObject]:
    """The objects that a construction makes in its contexts."""
    found: list[LibraryObject] = []
    for turn in expansions(ev, call):
        value = ev.within(lambda turn=turn: ev.eval(call.node, call.scope, turn), 20_000, 40)  # type: ignore[misc]  # mypy cannot type a default in a lambda
        found.extend(
            settled(ev, option) for option in options_of(value) if isinstance(option, LibraryObject)
        ) if value is not None else None
    return found


def _called_library(ev: Evaluator, call: Call, found: Sites) -> None:
    """`Bull('name')` without `new`."""
    binding = call.scope.lookup(call.name)
    if binding is None or binding.kind not in ("import", "var") or call.callee is None:
        return
    if isinstance(binding.fact, Import):
        target = ev.program.target(call.scope.module.path, binding.fact.spec)
        if binding.fact.spec != "bull" if target is None else not ev.program.leads_to(target, "bull"):
            return
    elif (
        binding.node is None
        or b"require" not in call.scope.module.source[binding.node.start_byte : binding.node.end_byte][:40]
    ):
        return
    if not any(
        isinstance(o, LibraryClass) and o.library == "bull" and o.name == "Queue"
        for o in options_of(ev.eval(call.callee, call.scope))
    ):
        return
    objects = [
        settled(ev, o)
        for turn in expansions(ev, call)
        for o in options_of(ev.eval(call.node, call.scope, turn))
        if isinstance(o, LibraryObject)
    ]
    found.queues.append(RawQueue(call, objects))


def _process(ev: Evaluator, call: Call, found: Sites) -> None:
    """Bull's `queue.process([name], [concurrency], handler)`."""
    if not any(
        target.library == "bull" and target.name == "Queue" for target in as_library(ev, receiver(ev, call, None))
    ):
        return
    raw = RawWorker(call, "bull", [], [], [], [], [])
    for turn in expansions(ev, call):
        for target in targets_of(ev, receiver(ev, call, turn)):
            if target.library != "bull" or target.name != "Queue":
                continue
            given = callers.given(ev, call, turn)
            raw.targets.append(target)
            raw.handlers.append(given[-1] if given else UNDEFINED)
            leading = given[:-1]
            raw.jobs.extend(value for value in leading[:1] if len(leading) == 2 or _is_text(value))
            raw.concurrency.extend(
                leading[1:] if len(leading) == 2 else [value for value in leading if not _is_text(value)]
            )
            if len(leading) == 0 or (len(leading) == 1 and _is_text(leading[0])):
                raw.concurrency.append(UNDEFINED)
    found.workers.append(raw)


def _is_text(value: Value) -> bool:
    return any(
        isinstance(option, Template) or (isinstance(option, Literal) and isinstance(option.value, str))
        for option in options_of(value)
    )


def _listener(ev: Evaluator, call: Call, found: Sites) -> None:
    if not called_on(ev, call, lambda target: True):
        return
    for turn in expansions(ev, call):
        targets = targets_of(ev, receiver(ev, call, turn))
        given = callers.given(ev, call, turn)
        if targets and given:
            for event in options_of(given[0]):
                name = (
                    str(event.value)
                    if isinstance(event, Literal)
                    else event.path.rsplit(".", 1)[-1].lower()
                    if isinstance(event, External)
                    else ""
                )
                found.listeners.append(RawListener(call, name, targets, callers.argument(given, 1)))


def _close(ev: Evaluator, call: Call, found: Sites) -> None:
    if not called_on(ev, call, lambda target: True):
        return
    targets = targets_of(ev, receiver(ev, call, None))
    if targets:
        given = callers.given(ev, call, None)
        forced = bool(given) and isinstance(given[0], Literal) and given[0].value is True
        found.closes.append(RawClose(call, targets, forced))
