"""Nest's classes of jobs: processors with their handlers, event decorators, listeners of queue events, and who provides them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from auditor.code.evaluation import classes, types
from auditor.code.evaluation.values import UNDEFINED, External, Literal, Object, Value, options_of
from auditor.code.syntax.facts import Class, Function, Module, line_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator


@dataclass(slots=True)
class Processor:
    """A `@Processor` class."""

    module: Module
    cls: Class
    library: str
    node: Node
    """The decorator."""
    queue: Value
    options: list[Value]
    handlers: list[tuple[Function, Value, Value]]
    """(method, job name, options) of each `@Process`, or `process` of a WorkerHost."""

    @property
    def line(self) -> int:
        """Line of the decorator."""
        return line_of(self.node)


def processors(ev: Evaluator, modules: list[Module]) -> list[Processor]:
    """All processor classes in these modules."""
    found: list[Processor] = []
    for module in modules:
        if b"Processor" in module.source:
            read = partial(_processors, ev, module)
            found += ev.program.gaps.take("processor classes", (), read, [], module.path)
    return found


def _processors(ev: Evaluator, module: Module) -> list[Processor]:
    made: list[Processor] = []
    for cls in module.classes:
        found = types.decorator(module, cls.decorators, frozenset(("Processor", "WorkerProcessor")))
        library = types.of_nest(ev, module, found[0]) if found is not None else None
        if found is None or library is None:
            continue
        given = decorator_arguments(ev, found[1], cls)
        queue: Value = Literal("default")
        options: list[Value] = []
        for value in given:
            if isinstance(value, Object):
                options.append(value)
                queue = value.members.get("name", queue)
            else:
                queue = value
        handlers = list(_handlers(ev, cls, library))
        made.append(Processor(module, cls, library, found[1], queue, options, handlers))
    return made


def decorator_arguments(ev: Evaluator, node: Node, cls: Class) -> list[Value]:
    """The values that a decorator is called with."""
    held = node.child_by_field_name("arguments")
    return (
        [ev.eval(child, cls.outer) for child in held.named_children if child.type != "comment"]
        if held is not None
        else []
    )


def _handlers(ev: Evaluator, cls: Class, library: str) -> Iterator[tuple[Function, Value, Value]]:
    if library == "bullmq":
        method = classes.find(ev, cls, "process")
        if method is not None:
            yield method, UNDEFINED, UNDEFINED
        return
    for step in classes.ancestry(ev, cls):
        for method in step.members.values():
            found = types.decorator(method.module, method.decorators, frozenset(("Process",)))
            if found is None:
                continue
            name, options = UNDEFINED, UNDEFINED
            for value in decorator_arguments(ev, found[1], step):
                if isinstance(value, Object):
                    options, name = value, value.members.get("name", name)  # type: ignore[assignment]  # both are values
                else:
                    name = value  # type: ignore[assignment]  # a decorator takes any value for a name
            yield method, name, options


_EVENTS = {
    "OnQueueError": "error", "OnQueueWaiting": "waiting", "OnQueueActive": "active", "OnQueueStalled": "stalled",
    "OnQueueProgress": "progress", "OnQueueCompleted": "completed", "OnQueueFailed": "failed", "OnQueuePaused": "paused",
    "OnQueueResumed": "resumed", "OnQueueCleaned": "cleaned", "OnQueueDrained": "drained", "OnQueueRemoved": "removed",
}  # fmt: skip
_GLOBAL = {name.replace("OnQueue", "OnGlobalQueue"): event for name, event in _EVENTS.items()}
_NAMED = frozenset(("OnWorkerEvent", "OnQueueEvent"))


def events(ev: Evaluator, cls: Class) -> Iterator[tuple[str, Function, Node]]:
    """(event, method, decorator) of each event decorator in a class and those that it extends."""
    wanted = frozenset(_EVENTS) | frozenset(_GLOBAL) | _NAMED
    for step in classes.ancestry(ev, cls):
        for method in step.members.values():
            for node in method.decorators:
                found = types.decorator(method.module, [node], wanted)
                if found is None:
                    continue
                name = found[0]
                if name in _NAMED:
                    for value in decorator_arguments(ev, found[1], step)[:1]:
                        for option in options_of(value):
                            text = (
                                str(option.value)
                                if isinstance(option, Literal)
                                else option.path.split(".")[-1].lower()
                                if isinstance(option, External)
                                else ""
                            )
                            yield text, method, found[1]
                else:
                    yield _EVENTS.get(name) or _GLOBAL[name], method, found[1]


def event_listener_classes(ev: Evaluator, modules: list[Module]) -> Iterator[tuple[Module, Class, str, Value]]:
    """`@QueueEventsListener('queue')` classes: (module, class, library, queue)."""
    for module in modules:
        for cls in module.classes:
            found = types.decorator(module, cls.decorators, frozenset(("QueueEventsListener",)))
            library = types.of_nest(ev, module, found[0]) if found is not None else None
            if found is not None and library is not None:
                given = decorator_arguments(ev, found[1], cls)
                yield module, cls, library, given[0] if given else Literal("default")


def provided(modules: list[Module], cls: Class) -> bool:
    """Whether some `providers: [...]` mentions the class (or a list that does): else Nest never makes it."""
    name = cls.name.encode()
    for module in modules:
        if name not in module.source or (module is cls.module and module.source.count(name) < 2):
            continue
        if _listed(module, cls.name):
            return True
    return False


def _listed(module: Module, name: str) -> bool:
    """Whether a list in a module holds the bare name, or a provider object uses it."""
    pending = [module.tree.root_node]
    while pending:
        node = pending.pop()
        if node.type in ("array", "pair", "arguments", "spread_element", "variable_declarator") and any(
            child.type == "identifier" and module.text(child) == name for child in node.named_children
        ):
            return True
        if node.type in ("type_annotation", "string", "comment", "import_statement"):
            continue
        pending.extend(node.named_children)
    return False
