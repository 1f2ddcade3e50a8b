"""Options that code sets on a BullMQ worker once it is made: `worker.concurrency = 5`, `this.worker.opts.limiter = …`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.evaluation.values import LibraryObject
from auditor.code.model import ABSENT, Json, Option, OptionState
from auditor.code.sites.effective import WORKER_KEYS
from auditor.code.sites.listeners import same_object
from auditor.code.sites.options import option
from auditor.code.sites.targets import targets_of
from auditor.code.syntax.facts import Assignment, Module
from auditor.model import CodeSpan

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_KEYS = (*WORKER_KEYS, "limiter", "lockRenewTime", "drainDelay")
_AT_START = frozenset(("constructor", "onModuleInit", "onApplicationBootstrap"))


@dataclass(frozen=True, slots=True)
class Change:
    """One option of a worker, set after the worker was made."""

    key: str
    targets: tuple[LibraryObject, ...]
    at: CodeSpan
    value: Option
    settles: bool
    """Whether it is set as the worker is made, and on no condition: what it was made with then never counts."""


def changes(ev: Evaluator) -> list[Change]:
    """All of them in a program."""
    program = ev.program
    return [
        change
        for path in program.tree.paths
        if program.mentions(path, (b".opts.", b"orker.concurrency"))
        and program.mentions(path, (b"orker",))
        and (module := program.module(path)) is not None
        for change in _of(ev, module)
    ]


def _of(ev: Evaluator, module: Module) -> Iterator[Change]:
    for key in _KEYS:
        for made in module.member_assignments.get(key, ()):
            held = made.left.child_by_field_name("object")
            if held is not None and held.type == "member_expression" and module.text(held).endswith(".opts"):
                held = held.child_by_field_name("object")
            elif key != "concurrency":
                continue
            if held is None or made.op != "=":
                continue
            targets = _workers(ev, module, made, held)
            if targets:
                line = int(made.left.start_point[0]) + 1
                value = option([ev.eval(made.right, made.scope)])
                yield Change(key, tuple(targets), CodeSpan(module.path, line, line), value, _settles(made))


def _workers(ev: Evaluator, module: Module, made: Assignment, held: Node) -> list[LibraryObject]:
    """The workers that an option is set on; `this.worker` of a Nest processor is the one that Nest makes for it."""
    function = made.scope.func
    cls = function.cls if function is not None else None
    by_nest = cls is not None and cls.base is not None and "WorkerHost" in module.text(cls.base)
    if by_nest and module.text(held) == "this.worker":
        return [LibraryObject("bullmq", "Worker", None, None, (), cls, True)]
    found = targets_of(ev, ev.eval(held, made.scope))
    return [target for target in found if target.library != "bull" and target.name == "Worker"]


def _settles(made: Assignment) -> bool:
    context = made.context
    while context is not None and context.kind != "function":
        if context.kind not in ("try", "finally"):
            return False
        context = context.parent
    function = made.scope.func
    return function is None or function.name in _AT_START


def applied(options: Mapping[str, Option], found: list[Change], targets: list[LibraryObject]) -> dict[str, Option]:
    """A worker's options with what is set on it later."""
    made = dict(options)
    for change in found:
        if any(same_object(mine, theirs) for mine in targets for theirs in change.targets):
            before = made.get(change.key, ABSENT)
            made[change.key] = change.value if change.settles else _either(before, change.value)
    return made


def _either(before: Option, after: Option) -> Option:
    if before.state is OptionState.UNKNOWN or after.state is OptionState.UNKNOWN:
        return after if after.state is OptionState.UNKNOWN else before
    listed = tuple({repr(value): value for one in (before, after) for value in _values(one)}.values())
    return Option(OptionState.VARIES, values=listed, origin=after.origin or before.origin) if len(listed) > 1 else after


def _values(one: Option) -> tuple[Json, ...]:
    if one.state is OptionState.VARIES:
        return one.values
    return (one.value,)
