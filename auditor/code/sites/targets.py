"""What a method is called on: which library objects it may be, and in which calls the code runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.code.evaluation import callers, classes, plain
from auditor.code.evaluation.call_sites import NO_CALLERS
from auditor.code.evaluation.values import UNDEFINED, Frame, Instance, Lazy, LibraryObject, Unknown, Value, options_of
from auditor.code.syntax.facts import Call

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator


LIBRARIES = frozenset(("bullmq", "bull", "bullmq-pro"))


CONSTRUCTED = frozenset(("Queue", "Worker", "QueueEvents", "FlowProducer", "QueueScheduler"))


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


def settled(ev: Evaluator, target: LibraryObject) -> LibraryObject:
    """A library object with its arguments looked at: what a site is reported with."""
    if not any(isinstance(argument, Lazy) for argument in target.arguments):
        return target
    given = [ev.within(lambda one=argument: ev.force(one), 20_000, 40) for argument in target.arguments]  # type: ignore[misc]  # mypy cannot type a default in a lambda
    return replace(
        target, arguments=tuple([Unknown("it depends on too much") if one is None else one for one in given])
    )


def targets_of(ev: Evaluator, value: Value) -> list[LibraryObject]:
    """The library objects that a value may be, each with its arguments."""
    return [settled(ev, target) for target in as_library(ev, value)]


_LIKELY = re.compile(rb"(?i)queue|worker|bull|flow|producer|job|scheduler|events|mq|enqueu")


def called_on(ev: Evaluator, call: Call, accept: Callable[[LibraryObject], bool]) -> bool:
    """Whether a method is called on a library object; what does not look like one gets less effort."""
    node = call.receiver
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
    held = call.receiver
    return ev.eval(held, call.scope, frame) if held is not None else UNDEFINED
