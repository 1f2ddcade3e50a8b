"""Raw sites to the model: names, effective options, versions, listeners, liveness."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypedDict

from auditor.code import nest as nest_
from auditor.code.effective import SETTINGS, job_options, queue_options, unknown_names, worker_options
from auditor.code.facts import Call, Function, Module, line_of
from auditor.code.listeners import Listeners
from auditor.code.model import (
    FlowChild,
    Library,
    Listener,
    Option,
    OptionState,
    Producer,
    Queue,
    Worker,
)  # fmt: skip
from auditor.code.nest import Nest, Processor
from auditor.code.options import determinism, id_option, names, option, plain, to_json
from auditor.code.shutdown import Shutdown
from auditor.code.sites import RawProducer, RawQueue, RawWorker, Sites, Variant
from auditor.code.values import (
    UNDEFINED,
    External,
    FunctionValue,
    LibraryObject,
    Literal,
    Object,
    Template,
    Unknown,
    Value,
    is_nothing,
    join,
    options_of,
)  # fmt: skip
from auditor.code.versions import Versions
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from auditor.code.evaluate import Evaluator

_PACKAGES = {"bullmq": "bullmq", "bull": "bull", "bullmq-pro": "@taskforcesh/bullmq-pro"}
_SANDBOX = (".js", ".ts", ".mjs", ".cjs", ".mts", ".cts")


class _Base(TypedDict):
    """What every site of the model has."""

    span: CodeSpan
    library: Library
    version: str
    service: str
    live: bool
    symbol: str


class Assembler:
    """Builds the model's queues, producers and workers."""

    def __init__(
        self, ev: Evaluator, nest: Nest, sites: Sites, processors: list[Processor], modules: list[Module],
        is_live: Callable[[Module, Function | None], bool], service_of: Callable[[str], str], shutdown: Shutdown, versions: Versions,
    ) -> None:  # fmt: skip
        self.ev = ev
        self.nest = nest
        self.sites = sites
        self.processors = processors
        self.modules = modules
        self.is_live = is_live
        self.service_of = service_of
        self.versions = versions
        self.shutdown = shutdown
        self.listeners = Listeners(ev, sites, processors, modules, is_live)
        self.known_defaults = self._known_defaults()
        self.worker_nodes: dict[CodeSpan, RawWorker | Processor] = {}

    def _known_defaults(self) -> frozenset[str]:
        """Job options for which some queue of the program has a default."""
        found: set[str] = set()
        for raw in self.sites.queues:
            for target in raw.objects:
                options = queue_options(self.ev, self.nest, target)
                if options is not None and not is_nothing(options):
                    for one in options_of(self.ev.member(options, "defaultJobOptions")):
                        if isinstance(one, Object):
                            found.update(one.members)
        for registration in self.nest.queues:
            for one in options_of(self.ev.member(registration.options, "defaultJobOptions")):
                if isinstance(one, Object):
                    found.update(one.members)
        return frozenset(found)

    def _site(self, call: Call, library: str) -> _Base:
        module, line = call.scope.module, call.line
        return self._common(module, line, line_of_end(call), library, call.scope.func)

    def _common(
        self, module: Module, line: int, end: int, library: str, function: Function | None, symbol: str | None = None
    ) -> _Base:
        library = library.removeprefix("@nestjs/")
        return {
            "span": CodeSpan(module.path, line, end),
            "library": Library(library if library in ("bullmq", "bull", "bullmq-pro") else "bullmq"),
            "version": self.versions.of(_PACKAGES.get(library, library), module.path),
            "service": self.service_of(module.path),
            "live": self.is_live(module, function),
            "symbol": symbol if symbol is not None else symbol_of(function),
        }

    # Queues

    def queues(self) -> list[Queue]:
        """Queue objects and registered queues."""
        found = [queue for raw in self.sites.queues if (queue := self._queue(raw)) is not None]
        for registration in self.nest.queues:
            if registration.flow:
                continue
            name = names(registration.name)
            options = self.nest.options_for(self.ev, registration.library, name) if name else registration.options
            base = self._common(
                registration.module, registration.line, 0, registration.library, registration.call.scope.func
            )
            for one in name or (None,):
                found.append(Queue(**base, name=one, options=self._queue_options([options])))
        return found

    def _queue(self, raw: RawQueue) -> Queue | None:
        if not raw.objects or raw.objects[0].name != "Queue":
            return None
        name = names(join([target.arguments[0] if target.arguments else UNDEFINED for target in raw.objects]))
        options = [found for target in raw.objects if (found := queue_options(self.ev, self.nest, target)) is not None]
        base = self._site(raw.call, raw.objects[0].library)
        return Queue(
            **base, name=name[0] if len(name) == 1 else "|".join(name) or None, options=self._queue_options(options)
        )

    def _queue_options(self, values: list[Value]) -> dict[str, Option]:
        found: dict[str, list[Value]] = {}
        for value in values:
            for one in options_of(value):
                if not isinstance(one, Object):
                    continue
                for key, member in one.members.items():
                    if key == "defaultJobOptions":
                        for inner in options_of(member):
                            if isinstance(inner, Object):
                                for name, worth in inner.members.items():
                                    found.setdefault(f"defaultJobOptions.{name}", []).append(worth)
                    elif key not in ("connection", "redis", "createClient", "name"):
                        found.setdefault(key, []).append(member)
        return plain({key: option(worth) for key, worth in found.items()})

    # Producers

    def producers(self) -> list[Producer]:
        """Calls that enqueue."""
        return [self._producer(raw) for raw in self.sites.producers]

    def _producer(self, raw: RawProducer) -> Producer:
        ev, variants = self.ev, raw.variants
        options = job_options(ev, self.nest, variants, self.known_defaults)
        job_ids = [_job_id_value(ev, variant) for variant in variants]
        verdict, parts = determinism([value for value in job_ids if not is_nothing(value)])
        repeats = (
            any(not is_nothing(variant.repeat) and not isinstance(variant.repeat, Unknown) for variant in variants)
            or raw.call.name == "upsertJobScheduler"
        )
        schedulers = [variant.scheduler for variant in variants if variant.scheduler is not None]
        data = [variant.data for variant in variants]
        library = variants[0].target.library if variants else "bullmq"
        return Producer(
            **self._site(raw.call, library),
            method=raw.call.name,
            queue=_queue_names([variant.queue for variant in variants]),
            job=_one_name([variant.job for variant in variants]),
            options=options,
            job_id=verdict,
            scheduler=id_or_name(schedulers) if schedulers else None,
            repeats=repeats,
            via=_via(variants),
            data=option(data),
            awaited=is_awaited(raw.call),
            children=tuple(
                child for variant in variants[:1] for inner in variant.children for child in self._children(inner)
            ),
            unknown_options=tuple(
                (name, CodeSpan(*where, where[1])) for name, where in unknown_names(variants).items()
            ),
            job_id_parts=parts,
        )

    def _children(self, variant: Variant) -> list[FlowChild]:
        job_ids = [_job_id_value(self.ev, variant)]
        where = variant.where or ("", 0)
        own = FlowChild(
            CodeSpan(where[0], where[1], where[1]),
            names(variant.queue),
            _one_name([variant.job]),
            job_options(self.ev, self.nest, [variant], self.known_defaults),
            determinism(job_ids)[0],
        )
        return [own, *(child for inner in variant.children for child in self._children(inner))]

    # Workers

    def workers(self) -> list[Worker]:
        """Consumers."""
        found = [self._worker(raw) for raw in self.sites.workers]
        found += [self._nest_worker(processor) for processor in self.processors]
        return found

    def _worker(self, raw: RawWorker) -> Worker:
        queue = _queue_names(
            [target.arguments[0] if target.arguments else Unknown("a queue") for target in raw.targets]
        )
        extra: dict[str, list[Value]] = {}
        values = raw.options
        if raw.library == "bull":
            values, extra = self._bull_options(raw)
        handler, name, sandboxed = self._handler(raw.handlers)
        base = self._site(raw.call, raw.library)
        closing = self.shutdown.closing(
            raw.targets,
            raw.call.scope.module,
            raw.library,
            raw.library == "bull" and any(t.injected for t in raw.targets),
        )
        worker = Worker(
            **base,
            closed_on=tuple(closing.signals),
            forced_close=closing.forced,
            queue=queue,
            jobs=tuple(dict.fromkeys(job for value in raw.jobs for job in names(value))),
            options=worker_options(values, extra),
            sandboxed=sandboxed,
            handler=handler,
            handler_name=name,
            listeners=self._listeners(self.listeners.of_worker(raw, queue)),
            done_callback=raw.library == "bull" and _takes_done(raw.handlers),
            jobs_by="process" if raw.jobs else "",
        )
        self.worker_nodes[worker.span] = raw
        return worker

    def _bull_options(self, raw: RawWorker) -> tuple[list[Value], dict[str, list[Value]]]:
        """Bull keeps a worker's options in its queue's `settings` and `limiter`."""
        ev, values = self.ev, list[Value]()
        for target in raw.targets:
            options = queue_options(ev, self.nest, target)
            for one in options_of(options) if options is not None else ():
                if isinstance(one, Object):
                    settings = one.members.get("settings", UNDEFINED)
                    for inner in options_of(settings):
                        table = (
                            {k: v for k, v in inner.members.items() if k in SETTINGS}
                            if isinstance(inner, Object)
                            else {}
                        )
                        values.append(
                            Object(
                                {**table, **({"limiter": one.members["limiter"]} if "limiter" in one.members else {})}
                            )
                        )
        return values, {"concurrency": raw.concurrency}

    def _handler(self, values: list[Value]) -> tuple[CodeSpan | None, str, bool]:
        for value in values:
            for one in map(_as_path, options_of(value)):
                if isinstance(one, FunctionValue):
                    fact = one.fact
                    return (
                        CodeSpan(fact.module.path, line_of(fact.node), int(fact.node.end_point[0]) + 1),
                        fact.symbol,
                        False,
                    )
                if isinstance(one, Literal | Template) and (isinstance(one, Template) or isinstance(one.value, str)):
                    text = str(to_json(one))
                    target = self._sandbox_file(values, text)
                    return (CodeSpan(target, 1, 1) if target else None), text, True
        return None, "", False

    def _sandbox_file(self, values: list[Value], text: str) -> str:
        where = next((w for value in values if (w := getattr(value, "where", None)) is not None), None)
        importer = where[0] if where is not None else ""
        for spec in (text, f"./{text.lstrip('/')}", text.replace("dist/", "src/")):
            found = self.ev.program.target(importer, spec if spec.startswith(".") else f"./{spec.lstrip('/')}")
            if found is not None:
                return found
        return ""

    def _nest_worker(self, processor: Processor) -> Worker:
        ev, queue = self.ev, names(processor.queue)
        extra: dict[str, list[Value]] = {}
        values = list(processor.options)
        if processor.library == "bull":
            stated = [
                ev.member(options, "concurrency") if not is_nothing(options) else UNDEFINED
                for _, _, options in processor.handlers
            ]
            extra["concurrency"] = _summed(stated)
            options = self.nest.options_for(ev, "bull", queue)
            values = [
                Object({**{k: v for k, v in inner.members.items() if k in SETTINGS}, **({"limiter": one.members["limiter"]} if "limiter" in one.members else {})})
                for one in options_of(options)
                if isinstance(one, Object)
                for inner in options_of(one.members.get("settings", UNDEFINED))
                if isinstance(inner, Object)
            ] or [Object({})]  # fmt: skip
        elif len(values) > 1:
            values = [Object({k: v for value in values if isinstance(value, Object) for k, v in value.members.items()})]
        elif not values:
            values = [UNDEFINED]
        handler = processor.handlers[0][0] if processor.handlers else None
        base = self._common(
            processor.module,
            processor.line,
            int(processor.cls.node.end_point[0]) + 1,
            processor.library,
            None,
            processor.cls.name,
        )
        provided = nest_.provided(self.modules_all(), processor.cls)
        base["live"] = bool(base["live"]) and provided
        target = LibraryObject(
            processor.library,
            "Queue" if processor.library == "bull" else "Worker",
            None,
            None,
            (processor.queue,),
            processor.cls,
            True,
        )
        closing = self.shutdown.closing([target], processor.module, processor.library, True)
        worker = Worker(
            **base,
            closed_on=tuple(closing.signals),
            forced_close=closing.forced,
            queue=queue,
            jobs=tuple(dict.fromkeys(job for _, name, _ in processor.handlers for job in names(name))),
            options={k: v for k, v in worker_options(values, extra).items() if k not in ("scope", "configKey")},
            handler=CodeSpan(handler.module.path, line_of(handler.node), int(handler.node.end_point[0]) + 1)
            if handler is not None
            else None,
            handler_name=handler.symbol if handler is not None else "",
            listeners=self._listeners(self.listeners.of_processor(processor, queue)),
            jobs_by="process"
            if processor.library == "bull" and any(names(name) for _, name, _ in processor.handlers)
            else "",
            provided=provided,
        )
        self.worker_nodes[worker.span] = processor
        return worker

    def modules_all(self) -> list[Module]:
        """Modules that may list providers: Nest's module files."""
        if not hasattr(self, "_nest_modules"):
            program = self.ev.program
            self._nest_modules = [
                module
                for path in program.tree.paths
                if program.mentions(path, (b"providers",)) and (module := program.module(path)) is not None
            ]
        return self._nest_modules

    def _listeners(self, found: list[Listener]) -> tuple[Listener, ...]:
        unique = {(listener.event, listener.span, listener.on): listener for listener in found}
        return tuple(unique.values())


def _as_path(value: Value) -> Value:
    """`path.join(__dirname, 'processor.js')` as the path that it makes."""
    if not isinstance(value, External) or value.package != "path" or value.path not in ("join()", "resolve()"):
        return value
    texts = [one.value for one in value.arguments if isinstance(one, Literal) and isinstance(one.value, str)]
    whole = len(texts) == len(value.arguments)
    return Literal("/".join(texts).replace("/./", "/"), value.where) if whole and texts else value


def _job_id_value(ev: Evaluator, variant: Variant) -> Value:
    """The job id, else the deduplication id, of a variant."""
    for layer in reversed(variant.options):
        if is_nothing(layer):
            continue
        own = ev.member(layer, "jobId")
        if not is_nothing(own) and not (isinstance(own, Unknown) and own.why == getattr(layer, "open", None)):
            return own
        for key in ("deduplication", "debounce"):
            inner = ev.member(layer, key)
            if not is_nothing(inner) and isinstance(inner, Object):
                return ev.member(inner, "id")
    return UNDEFINED


def id_or_name(values: list[Value]) -> Option:
    """A scheduler's own id: its text where it is constant."""
    shown = option(values)
    return shown if shown.state is OptionState.KNOWN else id_option(values)


def _queue_names(values: list[Value]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values:
        own = names(value)
        if not own:
            return ()
        found.update(dict.fromkeys(own))
    return tuple(found)


def _one_name(values: list[Value]) -> str | None:
    found = _queue_names(values)
    return found[0] if len(found) == 1 else "|".join(found) or None


def _via(variants: list[Variant]) -> tuple[CodeSpan, ...]:
    found: dict[CodeSpan, None] = {}
    for variant in variants:
        frame = variant.frame
        while frame is not None:
            if frame.call is not None:
                found[CodeSpan(frame.call[0], frame.call[1], frame.call[1])] = None
            frame = frame.parent
    return tuple(found)


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


def _takes_done(values: list[Value]) -> bool:
    return any(
        isinstance(one, FunctionValue) and one.fact.is_async and len(one.fact.parameters) > 1
        for value in values
        for one in options_of(value)
    )


def is_awaited(call: Call) -> bool:
    """Whether somebody waits for a call: `await`, `return`, `.then`, or a list that is awaited."""
    node = call.node
    parent = node.parent
    while parent is not None:
        match parent.type:
            case (
                "await_expression"
                | "return_statement"
                | "arrow_function"
                | "array"
                | "arguments"
                | "variable_declarator"
                | "yield_expression"
            ):
                return True
            case "expression_statement":
                return False
            case "statement_block" | "program":
                return False
        parent = parent.parent
    return False


def symbol_of(function: Function | None) -> str:
    """Enclosing class and function, dotted."""
    while function is not None and not function.name:
        scope = function.scope.parent
        named = _variable_name(function)
        if named:
            return f"{function.cls.name}.{named}" if function.cls is not None and function.cls.name else named
        if scope is None:
            return ""
        function = scope.func
    return function.symbol if function is not None else ""


def _variable_name(function: Function) -> str:
    parent = function.node.parent
    if parent is not None and parent.type in ("variable_declarator", "public_field_definition", "pair"):
        named = parent.child_by_field_name("name") or parent.child_by_field_name("key")
        return function.module.text(named) if named is not None else ""
    return ""


def line_of_end(call: Call) -> int:
    """Last line of a call."""
    return int(call.node.end_point[0]) + 1


def is_library(value: Value) -> bool:
    """Whether a value is a library's object."""
    return isinstance(value, LibraryObject)
