"""What one call gives the function that it runs, where that decides what the function runs in turn.

`withDeadline(ms, () => sendMail(job))`, `choose(kind, { [A]: () => …, [B]: () => … })`, `deliver(job, new MailSender())`:
over all of their callers these helpers run everything, at one call they run what this call gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.evaluation import plain, taint
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
from auditor.code.reach import chains
from auditor.code.reach.wording import unwrapped
from auditor.code.syntax.facts import Call, Function, Parameter

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator
    from auditor.code.evaluation.flow import Flow
    from auditor.code.reach.written import Written

Signature: TypeAlias = "tuple[tuple[int, tuple[object, ...]], ...]"
"""Of one call, by number of parameter: what it gives that the function may run, or choose by."""
_FUNCTIONS = frozenset(("arrow_function", "function_expression", "method_definition"))
_HANDED = frozenset((*_FUNCTIONS, "identifier", "member_expression", "object"))
"""Arguments that are looked at where the function only hands them on."""
_PARTS = {
    "member_expression": "object",
    "subscript_expression": "object",
    "call_expression": "function",
    "await_expression": "",
    "non_null_expression": "",
    "parenthesized_expression": "",
    "as_expression": "",
}
"""Expressions that are a part of another, or made by it, with the field that holds it."""
_CHOICES = frozenset(("ternary_expression", "binary_expression"))
CALLING = frozenset(("call", "apply"))
"""Methods of a function that run it."""
_DEEPEST = 3
_MOST_MEMBERS = 40
_NAMES = frozenset(("identifier", "shorthand_property_identifier"))


@dataclass(frozen=True, slots=True)
class _Uses:
    """Of a function: names that it calls, that what it runs starts from and is chosen by, that it hands on, and that
    depend on its parameters."""

    called: frozenset[str]
    run: frozenset[str]
    chosen: frozenset[str]
    handed: frozenset[str]
    bound: frozenset[str]


class Given:
    """Frames of calls on the way of a walk, one for all calls that give the same."""

    def __init__(self, ev: Evaluator, flow: Flow, written: Written) -> None:
        self._ev = ev
        self._flow = flow
        self._written = written
        self._uses: dict[int, _Uses] = {}
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
        for index, declared in enumerate(target.parameters):
            names = frozenset(_names_of(unwrapped(declared.pattern)))
            node = nodes[index] if index < len(nodes) else None
            if declared.is_rest:
                values += [Lazy(rest, call.scope, outer) for rest in nodes[index:]]
                break
            sign = tuple(self._signed(names, uses, node, call, outer, declared))
            if sign:
                signature.append((index, sign))
            pattern = unwrapped(declared.pattern)
            if not sign and pattern.type == "identifier":
                values.append(Lazy(pattern, target.scope, closure))  # not told apart: what all calls give
            else:
                values.append(Lazy(node, call.scope, outer) if node is not None else UNDEFINED)
        if not signature:
            return None
        known = (id(target), id(closure), tuple(signature))
        if known not in self._frames:
            depth = (outer.depth if outer is not None else 0) + 1
            self._frames[known] = Frame(target, tuple(values), None, closure, depth)
        return self._frames[known]

    def _signed(
        self,
        names: frozenset[str],
        uses: _Uses,
        node: Node | None,
        call: Call,
        outer: Frame | None,
        declared: Parameter,
    ) -> Iterator[object]:
        chosen = bool(names & uses.chosen)
        if node is None:
            if names & (uses.called | uses.run) and declared.default is None:
                yield "nothing"
        elif not chosen and plain.is_primitive(node, call.scope):
            return
        elif chosen or names & uses.run or (names & uses.handed and (node.type in _HANDED or _binds(node))):
            yield from _sign(self._ev, self._ev.eval(node, call.scope, outer), chosen)

    def uses(self, function: Function) -> _Uses:
        """What is told of the function's text, once."""
        known = self._uses.get(id(function))
        if known is None:
            known = self._uses[id(function)] = self._read(function)
        return known

    def _read(self, function: Function) -> _Uses:
        called: set[str] = set()
        run: set[str] = set()
        chosen: set[str] = set()
        handed: set[str] = set()
        for call in self._flow.calls(function):
            if call.callee is not None:
                called.update(_plain(call.callee))
                run.update(_roots(call.callee))
                chosen.update(_indexes(call.callee))
            for node in call.arguments():
                handed.update(_values(node) if node.type == "object" else _plain(node))
        declared = [(set(_names_of(name)), value) for name, value in self._written.declared(function)]
        bound = {name for one in function.parameters for name in _names_of(unwrapped(one.pattern))}
        for names, value in reversed(declared):
            if names & run:
                run.update(_roots(value))
                chosen.update(_indexes(value))
            if names & (handed | chosen):
                (handed if names & handed else chosen).update(_roots(value))
        for names, value in declared:
            if bound.intersection(
                _roots(value),
            ) or bound.intersection(_indexes(value)):
                bound |= names
        return _Uses(frozenset(called), frozenset(run), frozenset(chosen), frozenset(handed), frozenset(bound))

    def decides(self, node: Node, frame: Frame | None) -> bool:
        """Whether what an expression is depends on what the calls of `frame` give."""
        names = {*_roots(node), *_indexes(node)} if frame is not None else set()
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


def _sign(ev: Evaluator, value: Value, chosen: bool, depth: int = 0) -> Iterator[object]:
    """What tells a value from another that does something else; a constant only where something is chosen by it."""
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
            case Object(members) if depth < _DEEPEST and len(members) <= _MOST_MEMBERS:
                for name, member in held(members).items():
                    if not isinstance(member, Lazy) or chosen or member.node.type in _HANDED:
                        inner = tuple(_sign(ev, ev.force(member), chosen, depth + 1))
                        if inner:
                            yield (name, inner)
            case Array(items) if depth < _DEEPEST and len(items) <= _MOST_MEMBERS:
                for at, item in enumerate(items):
                    inner = tuple(_sign(ev, ev.force(item), chosen, depth + 1))
                    if inner:
                        yield (at, inner)


def _binds(node: Node) -> bool:
    return node.type == "call_expression" and chains.name_of(node) == "bind"


def _plain(node: Node) -> Iterator[str]:
    """The variable that an expression is, or that it binds: `handler`, `handler.bind(this)`."""
    if node.type == "identifier" or _binds(node):
        yield from _roots(node)


def _values(node: Node) -> Iterator[str]:
    """Variables that an object literal holds as they are."""
    for child in node.named_children:
        value = child.child_by_field_name("value") if child.type == "pair" else child
        if value is not None and value.type in _NAMES:
            yield taint.text(value)


def _roots(node: Node) -> Iterator[str]:
    """Variables that an expression is, or is a part of: `a` of `a.b`, `a[k]`, `a().b`, `a ?? b`."""
    pending = [node]
    while pending:
        at = pending.pop()
        if at.type in _NAMES:
            yield taint.text(at)
        elif at.type in _PARTS:
            held = at.child_by_field_name(_PARTS[at.type])
            pending.extend([held] if held is not None else at.named_children[:1])
        elif at.type in _CHOICES:
            pending.extend(at.named_children)
        elif at.type == "object":
            yield from _values(at)


def _indexes(node: Node) -> Iterator[str]:
    """Variables that a member of something is chosen by: `k` of `a[k].b`."""
    at: Node | None = node
    while at is not None and at.type in _PARTS:
        index = at.child_by_field_name("index")
        if index is not None:
            yield from _roots(index)
        at = at.child_by_field_name(_PARTS[at.type]) or (at.named_children[0] if at.named_children else None)


def _names_of(pattern: Node) -> Iterator[str]:
    """Names that a pattern binds."""
    pending = [pattern]
    while pending:
        at = pending.pop()
        if at.type in ("identifier", "shorthand_property_identifier_pattern"):
            yield taint.text(at)
        elif at.type == "pair_pattern":
            value = at.child_by_field_name("value")
            pending.extend([value] if value is not None else [])
        elif at.type in ("assignment_pattern", "object_assignment_pattern"):
            pending.extend(at.named_children[:1])
        elif at.type in ("object_pattern", "array_pattern", "rest_pattern"):
            pending.extend(at.named_children)
