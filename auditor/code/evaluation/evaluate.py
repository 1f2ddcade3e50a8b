"""The abstract evaluator: what an expression may be, by its node, its scope and the call that is being looked at.

Nothing is run. What cannot be known is `Unknown` with its reason, and every answer is kept, so that the work is bound
by the size of what is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from auditor.code.evaluation import builtins, classes, containers, expressions, invoke, members, names
from auditor.code.evaluation.dependence import Dependence
from auditor.code.evaluation.values import CYCLE, Frame, Instance, Lazy, Unknown, Value, Where
from auditor.code.source.program import Exhausted, Program
from auditor.code.syntax.facts import Call, Class, Function, Module, Scope, line_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.call_sites import CallSite

T = TypeVar("T")
_DEEPEST = 90
_STEPS = 3_000_000
_TOO_MUCH = Unknown("it depends on too much")
_DEFAULT = (8_000, 24)
"""Steps and newly parsed files that a question is worth where its asker says nothing."""
_FRUGAL = (1_500, 6)
"""The same once the sites are known."""


class Evaluator:
    """Evaluates expressions of one program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.dependence = Dependence(self)
        self.depth = 0
        self.steps = 0
        self.most_steps = _STEPS
        self.bounded = 0
        self.journal: list[tuple[dict[Any, Any], object, int]] = []
        """What is being worked on: where its answer goes, and at which step it was begun."""
        self.searched: set[int] = set()
        """Functions whose callers are being looked for."""
        self.crowded: set[int] = set()
        """Functions whose callers were too many to be found."""
        self.partial = False
        """Whether a part of the question at hand was too dear."""
        self.provisional: list[tuple[dict[Any, Any], object]] = []
        self.calls: dict[object, Value] = {}
        self.called: dict[int, invoke.CallCount] = {}
        self.alive: list[object] = []
        """What keys of `calls` name by identity, so that no identity is given twice."""
        self.joined: dict[int, tuple[Value, ...] | None] = {}
        self.sites: dict[int, list[CallSite]] = {}
        self.conditions: dict[int, tuple[Function, ...] | None] = {}
        """By node: whose parameters it asks for; None where it asks for more."""
        self.fields: dict[object, Value] = {}
        self.frames: dict[object, Frame] = {}
        self.children: dict[int, list[Class]] = {}
        self.mutated: dict[str, dict[str, list[names.Mutation]]] = {}
        self.exports: dict[tuple[str, str], Value] = {}
        self.configs: dict[str, Value] | None = None
        self.objects: dict[object, Value] = {}
        self.types: dict[tuple[int, str, int], Value | None] = {}
        self.interfaces: dict[tuple[str, str], list[Class]] = {}
        self.decorations: dict[str, list[Call]] | None = None
        self.decorated: dict[str, Value] = {}
        self.providers: dict[str, list[tuple[Node, Scope]]] = {}
        self.registered: containers.Table | None = None
        self.handed: dict[str, Value] = {}
        self.factories: list[Function] | None = None

    def eval(self, node: Node, scope: Scope, frame: Frame | None = None) -> Value:
        """What `node` may be in `scope`; `frame` is the call that is being looked at, None for all of them."""
        if frame is not None:
            frame = self.dependence.frame(node, scope, frame)
        memo = frame.memo if frame is not None else scope.module.memo
        key = node.id
        known = memo.get(key)
        if known is not None:
            return known  # type: ignore[return-value]  # the module's memo is kept untyped, since facts know no values
        if self.depth == 0 and not self.bounded:
            value = self.within(lambda: self.eval(node, scope, frame), *(_FRUGAL if self.program.frugal else _DEFAULT))
            return value if value is not None else Unknown("it depends on too much", text=_short(scope, node))
        self.steps += 1
        if self.depth > _DEEPEST:
            return Unknown("it is nested too deeply")
        if self.steps % 256 == 0 and self.program.out_of_time():
            return Unknown("the time for it was over")
        if self.steps > self.most_steps:
            raise Exhausted
        self.begin(memo, key)
        self.depth += 1
        try:
            value = expressions.evaluate(self, node, scope, frame)
        finally:
            self.depth -= 1
        self.done(memo, key, value)
        return value

    def begin(self, table: dict[Any, Any], key: object) -> None:
        """Mark an answer as being worked on: who asks for it meanwhile gets CYCLE."""
        table[key] = CYCLE
        self.journal.append((table, key, self.steps))

    def done(self, table: dict[Any, Any], key: object, value: object) -> None:
        """Keep an answer."""
        table[key] = value
        self.journal.pop()
        if self.partial and not self.program.frugal:
            self.provisional.append((table, key))

    def within(self, work: Callable[[], T], steps: int, files: int) -> T | None:
        """The result of `work`; None where it takes more than so many steps or newly parsed files."""
        before = self.most_steps, self.program.most_parses, len(self.journal), self.depth
        self.bounded += 1
        self.most_steps = min(self.most_steps, self.steps + steps)
        self.program.most_parses = min(self.program.most_parses, self.program.parses + files)
        try:
            return work()
        except Exhausted:
            late = self.steps - steps // 2
            for table, key, begun in self.journal[before[2] :]:
                if not self.program.frugal or begun > late:
                    table.pop(key, None)
                elif table is not self.children:
                    table[key] = _TOO_MUCH  # asked again it would be as much
            del self.journal[before[2] :]
            self.depth = before[3]
            return None
        finally:
            self.bounded -= 1
            self.most_steps, self.program.most_parses = before[0], before[1]
            if not self.bounded and self.partial:
                self._forget()

    def _forget(self) -> None:
        """Drop what was answered without a part that was too dear: another question may afford it."""
        for table, key in self.provisional:
            table.pop(key, None)
        self.provisional.clear()
        self.partial = False

    def share(self, work: Callable[[], T]) -> T | None:
        """The result of `work`, which may take half of what is left for the question at hand; None where it needs more.

        So one dear part of a question (a parameter that hundreds of callers pass) costs its own answer, not the others'.
        What was answered without it is not kept beyond the question.
        """
        if not self.bounded:
            return work()
        program = self.program
        steps, files = (self.most_steps - self.steps) // 2, (program.most_parses - program.parses) // 2
        value = self.within(work, steps, files)
        self.partial = self.partial or value is None
        return value

    def apart(self, work: Callable[[], T], steps: int, files: int) -> T | None:
        """`within`, for what is found out once for the whole program: it does not count for the question at hand."""
        return self.freely(lambda: self.within(work, steps, files))

    def freely(self, work: Callable[[], T]) -> T:
        """The result of work that is done once for the whole program, whatever the question at hand may cost."""
        before = self.most_steps, self.program.most_parses, self.steps, self.program.parses
        self.most_steps, self.program.most_parses = _STEPS, 1 << 60
        self.bounded += 1
        try:
            return work()
        finally:
            self.bounded -= 1
            self.most_steps = before[0] + self.steps - before[2]
            self.program.most_parses = before[1] + self.program.parses - before[3]

    def force(self, value: Value) -> Value:
        """A value that may not have been looked at yet."""
        return self.eval(value.node, value.scope, value.frame) if isinstance(value, Lazy) else value

    def forced(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Values that may not have been looked at yet."""
        return tuple([self.force(value) for value in values])

    def member(self, value: Value, name: str, where: Where = None) -> Value:
        """`value.name`."""
        return members.member(self, value, name, where)

    def call(self, function: Value, arguments: tuple[Value, ...], where: Where, depth: int = 0) -> Value:
        """`function(...arguments)`."""
        return invoke.call(self, function, arguments, where, depth)

    def method(self, receiver: Value, name: str, arguments: tuple[Value, ...], where: Where, depth: int = 0) -> Value:
        """`receiver.name(...arguments)`."""
        return builtins.method(self, receiver, name, arguments, where, depth)

    def export(self, path: str, name: str) -> Value:
        """What module `path` exports as `name`."""
        return names.export(self, path, name)

    def this(self, cls: Class) -> Instance:
        """Any object of a class."""
        return classes.any_of(self, cls)

    def where(self, module: Module, node: Node) -> Where:
        """The place of a node."""
        return (module.path, line_of(node))


def _short(scope: Scope, node: Node) -> str:
    return " ".join(scope.module.text(node).split())[:40]


def frame_for(scope: Scope, frame: Frame | None) -> Frame | None:
    """The nearest frame of the chain that belongs to a function, loop or class around `scope`."""
    if frame is None:
        return None
    owners = scope.owners()
    found: Frame | None = frame
    while found is not None and id(found.owner) not in owners:
        found = found.parent
    return found


def frame_of(owner: Function | Class | Scope, frame: Frame | None) -> Frame | None:
    """The frame of the chain that belongs to `owner`."""
    while frame is not None and frame.owner is not owner:
        frame = frame.parent
    return frame
