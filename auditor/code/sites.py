"""Where a program touches a queue library: constructions, enqueues, processors, listeners and closings, as raw values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from auditor.code import callers, classes, patches, plain
from auditor.code.call_sites import NO_CALLERS
from auditor.code.facts import Call, Import, Module
from auditor.code.values import (
    UNDEFINED,
    Array,
    External,
    Frame,
    Instance,
    Lazy,
    LibraryClass,
    LibraryObject,
    Literal,
    Object,
    Template,
    Unknown,
    Value,
    is_nothing,
    options_of,
)  # fmt: skip

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluate import Evaluator
    from auditor.code.program import Program

PRODUCING = frozenset(("add", "addBulk", "upsertJobScheduler", "addJobs"))
LISTENING = frozenset(("on", "once", "addListener", "prependListener"))
CLOSING = frozenset(("close", "disconnect"))
LIBRARIES = frozenset(("bullmq", "bull", "bullmq-pro"))
CONSTRUCTED = frozenset(("Queue", "Worker", "QueueEvents", "FlowProducer", "QueueScheduler"))
JOB_OPTIONS = frozenset(
    (
        "attempts", "backoff", "delay", "jobId", "lifo", "priority", "removeOnComplete", "removeOnFail", "repeat", "timeout", "stackTraceLimit",
        "deduplication", "debounce", "parent", "sizeLimit", "keepLogs", "failParentOnFailure", "removeDependencyOnFailure", "preventParsingData",
        "ignoreDependencyOnFailure", "continueParentOnFailure", "telemetry", "timestamp", "repeatJobKey", "rateLimiterKey",
    )
)  # fmt: skip
_USES = re.compile(
    rb"""\.\s*(?:add|addBulk|upsertJobScheduler|process|on|once|close|run|getInstance)\s*[(<]|new\s+[\w.]*(?:Worker|Queue|Bull|Flow|Scheduler|Events)\w*|extends\s"""
)
_WORDS = (b"ueue", b"QUEUE", b"orker", b"WORKER", b"bull", b"Bull", b"flow", b"Flow", b"roducer", b"job", b"Job")
_ADDS = (b".add(", b".add<", b".addBulk", b".upsertJobScheduler", b".process(")
_DECORATES = re.compile(rb"""\.decorate\w*\(\s*['"](\w+)['"]""")
_QUEUEISH = re.compile(
    rb"""(?i)\b\w*(?:queue|flow|producer|bull)\w*(?:\[[^\]\n]*\]|\(\))?\s*[!?]?\.\s*(?:add|addBulk|upsertJobScheduler|process)\s*[(<]"""
)


@dataclass(slots=True)
class Variant:
    """One way in which a producing call runs: in one calling context, for one element of a list."""

    target: LibraryObject
    job: Value
    data: Value
    options: list[Value]
    """Options objects, weakest first: queue defaults are not among them."""
    queue: Value
    scheduler: Value | None
    repeat: Value
    frame: Frame | None
    children: list[Variant] = field(default_factory=list)
    where: tuple[str, int] | None = None


@dataclass(slots=True)
class RawProducer:
    """A call that enqueues."""

    call: Call
    variants: list[Variant]


@dataclass(slots=True)
class RawQueue:
    """A `new Queue`, `Bull(...)`, or another library object that is no worker."""

    call: Call
    objects: list[LibraryObject]


@dataclass(slots=True)
class RawWorker:
    """A `new Worker`, or `queue.process`: `handlers` and `options` over all contexts."""

    call: Call
    library: str
    targets: list[LibraryObject]
    """The worker objects, or for Bull the queue objects."""
    handlers: list[Value]
    options: list[Value]
    jobs: list[Value]
    concurrency: list[Value]


@dataclass(slots=True)
class RawListener:
    """`target.on(event, handler)`."""

    call: Call
    event: str
    targets: list[LibraryObject]
    handler: Value


@dataclass(slots=True)
class RawClose:
    """`target.close(...)`."""

    call: Call
    targets: list[LibraryObject]
    forced: bool


@dataclass(slots=True)
class Sites:
    """All of them."""

    queues: list[RawQueue] = field(default_factory=list)
    producers: list[RawProducer] = field(default_factory=list)
    workers: list[RawWorker] = field(default_factory=list)
    listeners: list[RawListener] = field(default_factory=list)
    closes: list[RawClose] = field(default_factory=list)
    patches: list[patches.Patch] = field(default_factory=list)


def candidates(program: Program) -> list[Module]:
    """Files that may hold a site: those that name a library, and those that use what these export."""
    seeds = program.seeds()
    paths = dict.fromkeys(seeds)
    hung = _decorated(program, seeds)
    near: set[str] = set()
    around: set[str] = set()
    for seed in seeds:
        around |= program.graph.all_importers(seed)
        for path in program.graph.importers(seed):
            near.add(path)
            near.update(program.graph.importers(path))
    for path in program.tree.paths if seeds else ():
        data = program.tree.read(path)
        if path in paths or data is None:
            continue
        if path in near:
            wanted = bool(_USES.search(data))
        elif path in around:
            wanted = any(word in data for word in _WORDS) and bool(_USES.search(data))
        elif hung and any(name in data for name in hung):
            wanted = True
        else:
            wanted = (
                any(word in data for word in _ADDS)
                and any(word in data for word in _WORDS)
                and bool(_QUEUEISH.search(data))
            )
        if wanted:
            paths[path] = None
    return [module for path in sorted(paths) if (module := program.module(path)) is not None]


def _decorated(program: Program, seeds: list[str]) -> list[bytes]:
    """`.name.add` for each name under which a seed hangs something on a framework's object."""
    names: dict[bytes, None] = {}
    for seed in seeds:
        data = program.tree.read(seed)
        if data is not None and b"decorate" in data:
            names.update(dict.fromkeys(_DECORATES.findall(data)))
    return [
        b"." + name + b"." + method
        for name in names
        for method in (b"add(", b"add<", b"addBulk", b"process(", b"upsertJob")
    ]


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
        _producer(ev, call, found)
    elif call.name == "process":
        _process(ev, call, found)
    elif call.name in LISTENING:
        _listener(ev, call, found)
    elif call.name in CLOSING:
        _close(ev, call, found)
    elif call.callee is not None and call.callee.type == "identifier":
        _called_library(ev, call, found)


def as_library(ev: Evaluator, value: Value) -> Iterator[LibraryObject]:
    """The library objects that a value may be; objects of classes that extend a library's class count."""
    for option in options_of(value):
        if isinstance(option, LibraryObject) and option.library in LIBRARIES:
            yield option
        elif isinstance(option, Instance):
            base = classes.library_base(ev, option.cls)
            if base is not None and base.name in CONSTRUCTED and base.library in LIBRARIES:
                given: tuple[Value, ...] = ()
                constructor = classes.constructor_of(ev, option.cls)
                if constructor is not None:
                    call = next(
                        (c for c in constructor.module.calls_named("super") if c.scope.func is constructor), None
                    )
                    given = callers.given(ev, call, None) if call is not None else ()
                yield LibraryObject(base.library, base.name, None, None, given, option.cls)


def _settled(ev: Evaluator, target: LibraryObject) -> LibraryObject:
    """A library object with its arguments looked at: what a site is reported with."""
    if not any(isinstance(argument, Lazy) for argument in target.arguments):
        return target
    given = [ev.within(lambda one=argument: ev.force(one), 20_000, 40) for argument in target.arguments]  # type: ignore[misc]  # mypy cannot type a default in a lambda
    return replace(
        target, arguments=tuple([Unknown("it depends on too much") if one is None else one for one in given])
    )


def targets_of(ev: Evaluator, value: Value) -> list[LibraryObject]:
    """The library objects that a value may be, each with its arguments."""
    return [_settled(ev, target) for target in as_library(ev, value)]


_LIKELY = re.compile(rb"(?i)queue|worker|bull|flow|producer|job|scheduler|events|mq|enqueu")


def _judge(ev: Evaluator, call: Call, accept: Callable[[LibraryObject], bool]) -> bool:
    """Whether a method is called on a library object; what does not look like one gets less effort."""
    node = (
        call.callee.child_by_field_name("object")
        if call.callee is not None and call.callee.type == "member_expression"
        else None
    )
    if node is None or _is_plain(call, node):
        return False
    likely = _LIKELY.search(call.scope.module.source, node.start_byte, node.end_byte)
    steps, files, tries = (30_000, 60, 3) if likely else (1_000, 4, 1)
    value = None
    while value is None and tries:  # what was parsed in one try costs nothing in the next
        value, tries = ev.within(lambda: ev.eval(node, call.scope), steps, files), tries - 1
    return value is not None and any(accept(target) for target in as_library(ev, value))


def _is_plain(call: Call, node: Node) -> bool:
    """Whether a receiver is at first sight a Set, Map, literal or function."""
    if node.type == "object" or plain.is_collection(node, call.scope):
        return True
    binding = call.scope.lookup(call.scope.module.text(node)) if node.type == "identifier" else None
    made = (
        binding.node if binding is not None and binding.kind == "var" and binding.const and not binding.path else None
    )
    if made is None:
        return False
    if made.type == "new_expression":
        callee = made.child_by_field_name("constructor")
        return callee is not None and call.scope.module.text(callee) in NO_CALLERS
    return made.type in ("object", "arrow_function")


def expansions(ev: Evaluator, call: Call) -> list[Frame | None]:
    """The contexts in which a call runs; all at once where they are too many to be told apart."""
    return ev.within(lambda: callers.expansions(ev, call.scope, None), 40_000, 120) or [None]


def receiver(ev: Evaluator, call: Call, frame: Frame | None) -> Value:
    """What a method is called on."""
    held = (
        call.callee.child_by_field_name("object")
        if call.callee is not None and call.callee.type == "member_expression"
        else None
    )
    return ev.eval(held, call.scope, frame) if held is not None else UNDEFINED


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
            _settled(ev, option) for option in options_of(value) if isinstance(option, LibraryObject)
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
        _settled(ev, o)
        for turn in expansions(ev, call)
        for o in options_of(ev.eval(call.node, call.scope, turn))
        if isinstance(o, LibraryObject)
    ]
    found.queues.append(RawQueue(call, objects))


def _producer(ev: Evaluator, call: Call, found: Sites) -> None:
    if not _judge(ev, call, lambda target: target.name in ("Queue", "FlowProducer")):
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
    if not _judge(ev, call, lambda target: True):
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
    if not _judge(ev, call, lambda target: True):
        return
    targets = targets_of(ev, receiver(ev, call, None))
    if targets:
        given = callers.given(ev, call, None)
        forced = bool(given) and isinstance(given[0], Literal) and given[0].value is True
        found.closes.append(RawClose(call, targets, forced))
