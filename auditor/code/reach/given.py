"""What one call gives the function that it runs, where that decides what the function runs in turn.

`withDeadline(ms, () => sendMail(job))`, `choose(kind, { [A]: () => …, [B]: () => … })`, `deliver(job, new MailSender())`:
over all of their callers these helpers run everything, at one call they run what this call gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.evaluation import plain, plain_types
from auditor.code.evaluation.lazy_members import held
from auditor.code.evaluation.values import (
    UNDEFINED,
    Array,
    ClassValue,
    Frame,
    FunctionValue,
    Instance,
    Lazy,
    Literal,
    Object,
    Value,
    options_of,
)
from auditor.code.reach.certain import Certainty
from auditor.code.reach.ruled_out import RuledOut
from auditor.code.reach.uses import Uses, binds, indexes, names_of, read, roots
from auditor.code.reach.weighed import Weighed
from auditor.code.reach.wording import unwrapped
from auditor.code.syntax.facts import Call, Function, Parameter

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow
    from auditor.code.reach.written import Written

Signature: TypeAlias = "tuple[tuple[int, tuple[object, ...]], ...]"
"""Of one call, by number of parameter: what it gives that the function may run, or choose by; below 0 what it rules out."""
_HANDED = frozenset(("arrow_function", "function_expression", "method_definition", "identifier", "member_expression", "object"))  # fmt: skip
"""Arguments that are looked at where the function only hands them on."""
CALLING = frozenset(("call", "apply"))
"""Methods of a function that run it."""
_DEEPEST = 3
_MOST_MEMBERS = 40
_DEEPEST_CALL = 8


class Given:
    """Frames of calls on the way of a walk, one for all calls that give the same."""

    def __init__(self, ev: Evaluator, flow: Flow, written: Written) -> None:
        self._ev = ev
        self._flow = flow
        self._written = written
        certainty = Certainty(ev)
        self.ruled_out = RuledOut(certainty, flow, written, lambda one: self.uses(one).bound)
        self._weighed = Weighed(ev, flow, certainty, self.ruled_out)
        self._uses: dict[int, Uses] = {}
        self._frames: dict[tuple[int, int, Signature], Frame] = {}
        self._of: dict[tuple[int, int, int, int], Frame | None] = {}

    def frame(self, call: Call, target: Function, closure: Frame | None, outer: Frame | None) -> Frame | None:
        """The call of `target` for what it is given; None where that decides nothing.

        `closure` is the frame that `target` closes over, `outer` the one in which the call is made.
        """
        if not target.parameters:
            return None
        key = (call.node.id, id(target), id(closure), id(outer))
        if key not in self._of:
            self._of[key] = self._made(call, target, closure, outer)
        return self._of[key]

    def _made(self, call: Call, target: Function, closure: Frame | None, outer: Frame | None) -> Frame | None:
        uses = self.uses(target)
        nodes, rest = passed_by(call, target)
        if rest is not None:
            return None
        values: list[Value] = []
        signature: list[tuple[int, tuple[object, ...]]] = []
        weighed = False
        for index, declared in enumerate(target.parameters):
            names = frozenset(names_of(unwrapped(declared.pattern)))
            node = nodes[index] if index < len(nodes) else None
            if declared.is_rest:
                values += [Lazy(rest, call.scope, outer) for rest in nodes[index:]]
                break
            sign = tuple(self._signed(names, uses, node, call, outer, declared, target))
            constant = self._weighed.constant(names, target, node, call, outer)
            weighed = weighed or constant is not None
            if sign:
                signature.append((index, sign))
            pattern = unwrapped(declared.pattern)
            if not sign and constant is None and pattern.type == "identifier":
                values.append(Lazy(pattern, target.scope, closure))  # not told apart: what all calls give
            else:
                values.append(Lazy(node, call.scope, outer) if node is not None else UNDEFINED)
        frame = Frame(target, tuple(values), None, closure, (outer.depth if outer is not None else 0) + 1)
        if weighed:
            signature += self._ruled(target, frame)
        return self._frames.setdefault((id(target), id(closure), tuple(signature)), frame) if signature else None

    def _ruled(self, target: Function, frame: Frame) -> Iterator[tuple[int, tuple[object, ...]]]:
        """What the call of `frame` rules out in its function, and in those that this one hands constants on to."""
        dead = self.ruled_out.dead(target, frame)
        if dead:
            yield -1, dead
        for at, (call, inner, _) in enumerate(self._weighed.passes(target)):
            told = self._made(call, inner, None, frame) if frame.depth < _DEEPEST_CALL else frame
            if told is not None:
                yield -2 - at, (id(told),)

    def _signed(
        self,
        names: frozenset[str],
        uses: Uses,
        node: Node | None,
        call: Call,
        outer: Frame | None,
        declared: Parameter,
        target: Function,
    ) -> Iterator[object]:
        chosen = bool(names & uses.chosen)
        if node is None:
            if names & (uses.called | uses.run) and declared.default is None:
                yield "nothing"
        elif chosen:
            yield from _sign(self._ev, self._ev.eval(node, call.scope, outer), True)
        elif plain.holds_nothing(node, call.scope) or _holds_nothing(declared, target):
            return
        elif names & uses.run or (names & uses.handed and (node.type in _HANDED or binds(node))):
            members = uses.members(unwrapped(declared.pattern))
            yield from _sign(self._ev, self._ev.eval(node, call.scope, outer), False, members)

    def uses(self, function: Function) -> Uses:
        """What is told of the function's text, once."""
        known = self._uses.get(id(function))
        if known is None:
            known = self._uses[id(function)] = read(
                self._flow.calls(function), self._written.declared(function), function
            )
        return known

    def decides(self, node: Node, frame: Frame | None) -> bool:
        """Whether what an expression is depends on what the calls of `frame` give."""
        names = {*roots(node), *indexes(node)} if frame is not None else set()
        while frame is not None and names:
            if isinstance(frame.owner, Function) and names & self.uses(frame.owner).bound:
                return True
            frame = frame.parent
        return False


def passed_by(call: Call, target: Function) -> tuple[list[Node], Node | None]:
    """The arguments that a call passes to `target` one by one, and the list from which it passes more.

    `f(a, ...rest)`, `f.call(this, a)`, `f.apply(this, [a])`, `f.apply(this, rest)`.
    """
    nodes = call.arguments()
    if call.name in CALLING and target.name != call.name and _is_member(call):
        nodes = nodes[1:]
        if call.name == "apply" and nodes:
            nodes = nodes[0].named_children if nodes[0].type == "array" else nodes[:1]
            if call.arguments()[1].type != "array":
                return [], nodes[0]
    spread = next((at for at, node in enumerate(nodes) if node.type == "spread_element"), None)
    return (nodes, None) if spread is None else (nodes[:spread], nodes[spread].named_children[0])


def _is_member(call: Call) -> bool:
    return call.callee is not None and call.callee.type == "member_expression"


def _sign(
    ev: Evaluator, value: Value, chosen: bool, only: frozenset[str] | None = None, depth: int = 0
) -> Iterator[object]:
    """What tells a value from another that does something else; a constant only where something is chosen by it.

    `only`: the members that count of an object.
    """
    for option in options_of(value):
        match option:
            case FunctionValue(fact, frame):
                yield (id(fact), id(frame))
            case ClassValue(fact):
                yield id(fact)
            case Instance(cls):
                yield id(cls)
            case Literal(constant) if chosen:
                yield constant
            case Object(members):
                named = [(k, v) for k, v in held(members).items() if only is None or k in only]
                yield from _sign_each(ev, [(k, v) for k, v in named if chosen or _may_run(v)], chosen, depth)
            case Array(items):
                yield from _sign_each(ev, list(enumerate(items)), chosen, depth)


def _sign_each(ev: Evaluator, members: Sequence[tuple[object, Value]], chosen: bool, depth: int) -> Iterator[object]:
    for name, member in members if depth < _DEEPEST and len(members) <= _MOST_MEMBERS else ():
        inner = tuple(_sign(ev, ev.force(member), chosen, None, depth + 1))
        if inner:
            yield (name, inner)


def _holds_nothing(declared: Parameter, function: Function) -> bool:
    """Whether a parameter's type says that it is no function and holds none."""
    return declared.type_node is not None and plain_types.holds_nothing(declared.type_node, function.module)


def _may_run(member: Value) -> bool:
    """Whether a member may be a function or hold one, as far as a look at what nobody has evaluated yet tells."""
    if not isinstance(member, Lazy):
        return True
    return member.node.type in _HANDED and not plain.holds_nothing(member.node, member.scope)
