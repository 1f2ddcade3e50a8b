"""The handlers of one place that builds workers for several of them: `register(queue, handler)`, a table of processors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import Frame, FunctionValue, Object, Value, options_of
from auditor.code.sites.options import names
from auditor.code.sites.raw import RawWorker
from auditor.code.syntax.facts import Function
from auditor.code.syntax.lexical import holds

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

MOST = 80
"""Handlers of one place that are told apart."""
_DEEPEST = 3


@dataclass(slots=True)
class Shared:
    """One handler: the functions that run it, the one that it is known by, and the queues that it is registered for."""

    names: FunctionValue
    functions: list[FunctionValue] = field(default_factory=list)
    queue: tuple[str, ...] = ()


def shared_handlers(ev: Evaluator, raw: RawWorker) -> list[Shared]:
    """The handlers of a raw worker, each once; none where they are more than can be told apart.

    A wrapper's closure counts by the handler that it was given: `timed(sendMail)` and `timed(refund)` are two; a handler
    that is wrapped in one branch and bare in another is one.
    """
    found: dict[tuple[int, ...], Shared] = {}
    for target, handler in zip(raw.targets, raw.handlers, strict=False):
        queue = names(target.arguments[0]) if target.arguments else ()
        for one in options_of(handler):
            if not isinstance(one, FunctionValue):
                continue
            inner = _given(ev, one)
            shared = found.setdefault(
                tuple(id(each.fact) for each in (one, *inner)), Shared(inner[-1] if inner else one)
            )
            shared.functions.append(one)
            shared.queue = tuple(dict.fromkeys((*shared.queue, *queue)))
    for key in [key for key in found if any(key == other[-len(key) :] != other for other in found)]:
        bare = found.pop(key)
        for shared in (shared for other, shared in found.items() if other[-len(key) :] == key):
            shared.queue = tuple(dict.fromkeys((*shared.queue, *bare.queue)))
    for shared in found.values():
        # shards of one queue are registered in many frames; what they run is the same
        shared.functions = shared.functions[:1]
    return list(found.values()) if len(found) <= MOST else []


def _given(ev: Evaluator, value: FunctionValue, depth: int = 0) -> list[FunctionValue]:
    """The functions that a closure was given by the call or turn of a loop that made it, outermost first."""
    frame: Frame | None = value.frame
    found: list[FunctionValue] = []
    while frame is not None and depth < _DEEPEST:
        for argument in frame.arguments:
            for one in _functions(ev, ev.force(argument), value.fact):
                found.append(one)
                found.extend(_given(ev, one, depth + 1))
        frame = frame.parent
    return found


def _functions(ev: Evaluator, value: Value, closure: Function) -> Iterator[FunctionValue]:
    """The functions that a value is, or holds in members that the closure calls: `config.processor(job)`."""
    for one in options_of(value):
        if isinstance(one, FunctionValue):
            yield one
        elif isinstance(one, Object):
            for name in one.members:
                if any(holds(closure.node, call.node) for call in closure.module.calls_named(name)):
                    yield from (each for each in options_of(one.members[name]) if isinstance(each, FunctionValue))
