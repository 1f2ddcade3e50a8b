"""Raw consumers and Nest's processor classes to the model's workers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import (
    UNDEFINED,
    LibraryObject,
    Literal,
    Object,
    Unknown,
    Value,
    is_nothing,
    options_of,
)
from auditor.code.model import Listener, Option, OptionState, Worker
from auditor.code.queues import reassigned
from auditor.code.queues.placing import Placed, Placing
from auditor.code.queues.producers import queue_names
from auditor.code.running.shutdown import Closing, Shutdown
from auditor.code.sites import nest_classes
from auditor.code.sites.effective import SETTINGS, WORKER_KEYS, queue_options, worker_options
from auditor.code.sites.handlers import Handler, handler_of, of_function, takes_done
from auditor.code.sites.listeners import Listeners
from auditor.code.sites.nest import Nest
from auditor.code.sites.nest_classes import Processor
from auditor.code.sites.options import names, shapes
from auditor.code.sites.raw import RawWorker
from auditor.code.source.isolation import Gaps
from auditor.code.syntax.facts import Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluation.evaluate import Evaluator

_CLOSING = ("workers.closed_on", "workers.forced_close")


class Workers:
    """Builds the model's workers; a part of one that breaks is noted, and costs that part."""

    def __init__(
        self, ev: Evaluator, nest: Nest, placing: Placing, listeners: Listeners | None, shutdown: Shutdown | None, gaps: Gaps
    ) -> None:  # fmt: skip
        self.ev = ev
        self.nest = nest
        self.placing = placing
        self.listeners = listeners
        self.shutdown = shutdown
        self.gaps = gaps
        self.nodes: dict[CodeSpan, RawWorker | Processor] = {}
        """What each worker is made of, by its place."""
        self._nest_modules: list[Module] | None = None
        self._changes: list[reassigned.Change] | None = None

    def all(self, raws: list[RawWorker], processors: list[Processor]) -> list[Worker]:
        """Consumers; one whose place breaks is left out."""
        found: list[Worker] = []
        for raw in raws:
            found += self.gaps.take("a worker", ("workers",), partial(self._built, raw), [], raw.call.scope.module.path)
        for one in processors:
            found += self.gaps.take("a worker", ("workers",), partial(self._of_nest, one), [], one.module.path)
        return found

    def _built(self, raw: RawWorker) -> list[Worker]:
        named = [t.arguments[0] if t.arguments else Unknown("a queue") for t in raw.targets]
        queue = queue_names(named)
        handler = self.gaps.take(
            "a handler", ("workers.sandboxed",), lambda: handler_of(self.ev, raw.handlers), Handler()
        )
        injected = raw.library == "bull" and any(target.injected for target in raw.targets)
        closing = self._closing(raw.targets, raw.call.scope.module, raw.library, injected)
        placed = self.placing.of_call(raw.call, raw.library)
        self.nodes[placed["span"]] = raw
        worker = Worker(
            **placed,
            closed_on=tuple(closing.signals),
            forced_close=closing.forced,
            exits_first=closing.exits_first,
            queue=queue,
            queue_shapes=shapes(named),
            jobs=tuple(dict.fromkeys(job for value in raw.jobs for job in names(value))),
            options=self._changed(self._options(placed, raw), raw.targets),
            sandboxed=handler.sandboxed,
            handler=handler.span,
            handler_name=handler.name,
            listeners=self._listeners(lambda heard: heard.of_worker(raw, queue), raw.call.scope.module.path),
            done_callback=raw.library == "bull" and takes_done(self.ev, raw.handlers),
            jobs_by="process" if raw.jobs else "",
        )
        return [worker]

    def _of_nest(self, processor: Processor) -> list[Worker]:
        queue = names(processor.queue)
        handler = of_function(processor.handlers[0][0]) if processor.handlers else Handler()
        end = int(processor.cls.node.end_point[0]) + 1
        placed = self.placing.at(processor.module, processor.line, end, processor.library, None, processor.cls.name)
        provided = nest_classes.provided(self._providing(), processor.cls)
        placed["live"] = placed["live"] and provided
        kind = "Queue" if processor.library == "bull" else "Worker"
        target = LibraryObject(processor.library, kind, None, None, (processor.queue,), processor.cls, True)
        closing = self._closing([target], processor.module, processor.library, True)
        named = any(names(name) for _, name, _ in processor.handlers)
        options = self._changed(self._options(placed, processor), [target])
        self.nodes[placed["span"]] = processor
        worker = Worker(
            **placed,
            closed_on=tuple(closing.signals),
            forced_close=closing.forced,
            exits_first=closing.exits_first,
            queue=queue,
            jobs=tuple(dict.fromkeys(job for _, name, _ in processor.handlers for job in _handled(name, named=named))),
            options={k: v for k, v in options.items() if k not in ("scope", "configKey")},
            handler=handler.span,
            handler_name=handler.name,
            methods=tuple(span for one, _, _ in processor.handlers if (span := of_function(one).span)),
            listeners=self._listeners(lambda heard: heard.of_processor(processor, queue), processor.module.path),
            jobs_by="process" if processor.library == "bull" and named else "",
            provided=provided,
        )
        return [worker]

    # Parts

    def _options(self, placed: Placed, node: RawWorker | Processor) -> dict[str, Option]:
        path = placed["span"].path
        try:
            return worker_options(*(self._given(node) if isinstance(node, RawWorker) else self._decorated(node)))
        except Exception as error:
            why = self.gaps.note("a worker's options", (), error, path)
            return dict.fromkeys(WORKER_KEYS, Option(OptionState.UNKNOWN, why=f"following it broke: {why}"))

    def _changed(self, options: dict[str, Option], targets: list[LibraryObject]) -> dict[str, Option]:
        """Options with what the code sets on the worker later."""
        if self._changes is None:
            none: list[reassigned.Change] = []
            self._changes = self.gaps.take("options set later", (), lambda: reassigned.changes(self.ev), none)
        return reassigned.applied(options, self._changes, targets) if self._changes else options

    def _given(self, raw: RawWorker) -> tuple[list[Value], dict[str, list[Value]]]:
        """Options of a construction; Bull keeps a worker's in its queue's `settings` and `limiter`."""
        if raw.library != "bull":
            return raw.options, {}
        given = [queue_options(self.ev, self.nest, target) for target in raw.targets]
        return [one for options in given if options is not None for one in _settings(options)], {
            "concurrency": raw.concurrency
        }

    def _decorated(self, processor: Processor) -> tuple[list[Value], dict[str, list[Value]]]:
        """Options of a processor class: the decorator's, for Bull the registered queue's and those of its methods."""
        if processor.library == "bull":
            stated = [
                self.ev.member(options, "concurrency") if not is_nothing(options) else UNDEFINED
                for _, _, options in processor.handlers
            ]
            registered = self.nest.options_for(self.ev, "bull", names(processor.queue))
            return _settings(registered) or [Object({})], {"concurrency": _summed(stated)}
        values = list(processor.options)
        if len(values) > 1:
            merged = {k: v for value in values if isinstance(value, Object) for k, v in value.members.items()}
            return [Object(merged)], {}
        return values or [UNDEFINED], {}

    def _closing(self, targets: list[LibraryObject], module: Module, library: str, by_nest: bool) -> Closing:
        shutdown = self.shutdown
        if shutdown is None:
            return Closing()
        return self.gaps.take(
            "shutdown", _CLOSING, lambda: shutdown.closing(targets, module, library, by_nest), Closing(), module.path
        )

    def _listeners(self, ask: Callable[[Listeners], list[Listener]], path: str) -> tuple[Listener, ...]:
        heard, found = self.listeners, list[Listener]()
        if heard is not None:
            found = self.gaps.take("listeners", ("workers.listeners",), lambda: ask(heard), found, path)
        return tuple({(one.event, one.span, one.on): one for one in found}.values())

    def _providing(self) -> list[Module]:
        """Modules that may list providers: Nest's module files."""
        if self._nest_modules is None:
            program = self.ev.program
            self._nest_modules = [
                module
                for path in program.tree.paths
                if program.mentions(path, (b"providers",)) and (module := program.module(path)) is not None
            ]
        return self._nest_modules


def _settings(options: Value) -> list[Value]:
    """What Bull takes from a queue's options for its worker."""
    found: list[Value] = []
    for one in options_of(options):
        if isinstance(one, Object):
            limiter = {"limiter": one.members["limiter"]} if "limiter" in one.members else {}
            for inner in options_of(one.members.get("settings", UNDEFINED)):
                held = inner.members if isinstance(inner, Object) else {}
                found.append(Object({**{k: v for k, v in held.items() if k in SETTINGS}, **limiter}))
    return found


def _summed(values: list[Value]) -> list[Value]:
    """Bull adds up the concurrency of a queue's processors; one that says nothing counts 1."""
    if all(is_nothing(value) for value in values):
        return [UNDEFINED]
    total, first = 0, None
    for value in values:
        if is_nothing(value):
            total += 1
        elif isinstance(value, Literal) and isinstance(value.value, int | float):
            total, first = total + int(value.value), first or value
        else:
            return [value]
    return [Literal(total, first.where if first is not None else None)]


def _handled(name: Value, *, named: bool) -> tuple[str, ...]:
    """The names that a Nest `@Process` handles: Bull's own for jobs without one, beside handlers that are named."""
    return ("__default__",) if named and is_nothing(name) else names(name)
