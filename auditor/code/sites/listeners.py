"""Which listeners reach a worker: on itself, on Bull's queue object, on QueueEvents of its queue, by Nest's decorators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import FunctionValue, LibraryObject, Value, options_of
from auditor.code.model import Listener
from auditor.code.sites import nest_classes
from auditor.code.sites.nest_classes import Processor
from auditor.code.sites.options import names
from auditor.code.sites.raw import RawListener, RawWorker, Sites
from auditor.code.syntax.facts import Call, Class, Function, Module, line_of
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_SHARED = frozenset(
    ("failed", "stalled", "completed", "progress", "active", "waiting", "delayed", "removed", "drained", "error")
)


class Listeners:
    """All listeners of a program, asked for by worker."""

    def __init__(
        self, ev: Evaluator, sites: Sites, processors: list[Processor], modules: list[Module],
        is_live: Callable[[Module, Function | None], bool],
    ) -> None:  # fmt: skip
        self.ev = ev
        self.raw = sites.listeners
        self.is_live = is_live
        self.classes = list(nest_classes.event_listener_classes(ev, modules))
        self.handlers: dict[tuple[str, CodeSpan], Value] = {}

    def of_worker(self, raw: RawWorker, queue: tuple[str, ...]) -> list[Listener]:
        """Listeners of a `new Worker` or Bull's `process`."""
        found: list[Listener] = []
        for listener in self.raw:
            on = self._meets(listener, raw.targets, raw.library, queue, raw.call)
            if on:
                found.append(self._made(listener, on))
        if raw.library != "bull":
            found.extend(self._by_decorator(queue, raw.library))
        return found

    def of_processor(self, processor: Processor, queue: tuple[str, ...]) -> list[Listener]:
        """Listeners of a Nest processor: its decorators, its own `this.worker.on`, injected queues, QueueEvents."""
        found: list[Listener] = []
        on = "worker" if processor.library == "bullmq" else "queue"
        for event, method, node in nest_classes.events(self.ev, processor.cls):
            span = CodeSpan(method.module.path, line_of(node), int(method.node.end_point[0]) + 1)
            found.append(Listener(event, span, on, self.is_live(method.module, None)))
            self.handlers[event, span] = FunctionValue(method, None, self.ev.this(processor.cls))
        chain = _chain(self.ev, processor.cls)
        for listener in self.raw:
            for target in listener.targets:
                mine = target.name == "Worker" and target.subclass is not None and target.subclass in chain
                named = _same_queue(target, queue) and target.library == processor.library
                if mine or (
                    named and (target.name == "QueueEvents" or (target.name == "Queue" and processor.library == "bull"))
                ):
                    event = _normal(listener.event)
                    kind = "worker" if mine else "events" if target.name == "QueueEvents" else "queue"
                    if kind != "events" or event != "error":
                        found.append(self._made(listener, kind))
                    break
        found.extend(self._by_decorator(queue, processor.library))
        return found

    def _by_decorator(self, queue: tuple[str, ...], library: str) -> list[Listener]:
        found: list[Listener] = []
        for module, cls, kind, name in self.classes:
            if kind == library and set(names(name)) & set(queue):
                for event, method, node in nest_classes.events(self.ev, cls):
                    if event != "error":
                        span = CodeSpan(method.module.path, line_of(node), int(method.node.end_point[0]) + 1)
                        found.append(Listener(event, span, "events", self.is_live(module, None)))
        return found

    def _together(self, listener: RawListener, call: Call) -> bool:
        """Whether a listener on a queue's events is there when a worker is: it lives, or stands in the same class or function."""
        heard = listener.call.scope
        if self.is_live(heard.module, heard.func):
            return True
        if heard.cls is not None or call.scope.cls is not None:
            return heard.cls is call.scope.cls
        return heard.func is call.scope.func

    def _meets(
        self, listener: RawListener, targets: list[LibraryObject], library: str, queue: tuple[str, ...], call: Call
    ) -> str:
        """`worker`, `queue` or `events` where a listener hears of this worker's jobs; empty where it doesn't."""
        event = _normal(listener.event)
        for heard in listener.targets:
            if heard.name == "QueueEvents" and library != "bull":
                if event != "error" and _same_queue(heard, queue) and self._together(listener, call):
                    return "events"
            elif heard.name in ("Worker", "Queue") and any(same_object(heard, target) for target in targets):
                return "worker" if heard.name == "Worker" else "queue"
            elif (
                heard.name == "Queue"
                and library == "bull"
                and listener.event.startswith("global:")
                and _same_queue(heard, queue)
            ):
                return "queue"
        return ""

    def _made(self, listener: RawListener, on: str) -> Listener:
        call = listener.call
        span = CodeSpan(call.scope.module.path, call.line, int(call.node.end_point[0]) + 1)
        event = _normal(listener.event)
        self.handlers[event, span] = listener.handler
        return Listener(event, span, on, self.is_live(call.scope.module, call.scope.func))


def _normal(event: str) -> str:
    return event.removeprefix("global:")


def same_object(a: LibraryObject, b: LibraryObject) -> bool:
    """Whether two values are the same object, as far as the program tells."""
    if a.name != b.name:
        return False
    if a.node is not None and b.node is not None:
        if a.node == b.node:
            return a.frame is b.frame or a.frame is None or b.frame is None or not _apart(a, b)
        return False
    if a.subclass is not None and b.subclass is not None:
        return a.subclass is b.subclass or a.subclass.name == b.subclass.name or _extends(a.subclass, b.subclass)
    if a.injected or b.injected:
        first, second = _names(a), _names(b)
        return bool(first & second)
    return False


def _apart(a: LibraryObject, b: LibraryObject) -> bool:
    """Whether two objects of one construction have different names."""
    first, second = _names(a), _names(b)
    return bool(first) and bool(second) and not first & second


def _extends(a: Class, b: Class) -> bool:
    for one, other in ((a, b), (b, a)):
        if one.base is not None and one.module.text(one.base).split("<")[0] == other.name:
            return True
    return False


def _names(value: LibraryObject) -> set[str]:
    return set(names(value.arguments[0])) if value.arguments else set()


def _same_queue(target: LibraryObject, queue: tuple[str, ...]) -> bool:
    return bool(_names(target) & set(queue))


def _chain(ev: Evaluator, cls: Class) -> list[Class]:
    from auditor.code.evaluation import classes

    return classes.ancestry(ev, cls)


def handler_functions(value: Value) -> list[FunctionValue]:
    """The functions that a listener may be."""
    return [one for one in options_of(value) if isinstance(one, FunctionValue)]
