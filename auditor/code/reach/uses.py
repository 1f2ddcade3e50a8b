"""What a function does with names, by its text: which it calls, runs a part of, chooses by and hands on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.code.evaluation import taint
from auditor.code.reach import chains
from auditor.code.reach.wording import unwrapped
from auditor.code.syntax.facts import Call, Function

if TYPE_CHECKING:
    from tree_sitter import Node

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
_NAMES = frozenset(("identifier", "shorthand_property_identifier"))
_STEPS = frozenset(("member_expression", "non_null_expression", "parenthesized_expression", "await_expression"))


@dataclass(frozen=True, slots=True)
class Uses:
    """Of a function: names that it calls, that what it runs starts from and is chosen by, that it hands on, and that
    depend on its parameters."""

    called: frozenset[str]
    run: frozenset[str]
    chosen: frozenset[str]
    handed: frozenset[str]
    bound: frozenset[str]
    parts: Mapping[str, frozenset[str]]
    """Of a name that is only used by its members: which of them."""

    def members(self, pattern: Node) -> frozenset[str] | None:
        """The members of what `pattern` takes that the function may run, choose by or hand on; None where it may be all."""
        if pattern.type == "identifier":
            return self.parts.get(taint.text(pattern))
        return _keys(pattern, self.called | self.run | self.chosen | self.handed)


class _Reading:
    """The uses of names in a function, while its text is read."""

    def __init__(self) -> None:
        self.called: set[str] = set()
        self.run: set[str] = set()
        self.chosen: set[str] = set()
        self.handed: set[str] = set()
        self._whole: set[str] = set()
        self._parts: dict[str, set[str]] = {}

    def hands(self, names: Iterable[str]) -> None:
        """Variables that a call is given as they are."""
        names = set(names)
        self.handed |= names
        self._whole |= names

    def takes(self, value: Node, use: set[str], pattern: Node | None = None) -> None:
        """An expression that is put to a use, by the names of `pattern` if it has one."""
        use.update(roots(value))
        name, member = _first_member(value)
        if member:
            self._parts.setdefault(name, set()).add(member)
            return
        keys = _keys(pattern, self.called | self.run | self.chosen | self.handed) if pattern is not None else None
        if name and keys is not None:
            self._parts.setdefault(name, set()).update(keys)
        else:
            self._whole.update(roots(value))

    def uses(self, bound: frozenset[str]) -> Uses:
        """All of them."""
        whole = self._whole | self.called | self.chosen
        parts = {name: frozenset(members) for name, members in self._parts.items() if name not in whole}
        called, run, chosen, handed = (frozenset(one) for one in (self.called, self.run, self.chosen, self.handed))
        return Uses(called, run, chosen, handed, bound, parts)


def read(calls: Iterable[Call], declarations: Sequence[tuple[Node, Node]], function: Function) -> Uses:
    """What is told of a function by its own calls and its (name or pattern, value) declarations in order."""
    found = _Reading()
    for call in calls:
        if call.callee is not None:
            found.called.update(_plain(call.callee))
            found.takes(call.callee, found.run)
            found.chosen.update(indexes(call.callee))
        for node in call.arguments():
            found.hands(handed_by(node))
    declared = [(name, set(names_of(name)), value) for name, value in declarations]
    bound = {name for one in function.parameters for name in names_of(unwrapped(one.pattern))}
    for pattern, names, value in reversed(declared):
        if names & found.run:
            found.takes(value, found.run, pattern)
            found.chosen.update(indexes(value))
        if names & (found.handed | found.chosen):
            found.takes(value, found.handed if names & found.handed else found.chosen, pattern)
    for _, names, value in declared:
        if bound.intersection(roots(value)) or bound.intersection(indexes(value)):
            bound |= names
    return found.uses(frozenset(bound))


def _first_member(node: Node) -> tuple[str, str]:
    """The variable that an expression is a member of, and the first member on the way: `a`, `b` of `a.b.c`; `a` alone has none."""
    at, member = node, ""
    while at.type in _STEPS and at.named_children:
        if at.type == "member_expression":
            named = at.child_by_field_name("property")
            member = taint.text(named) if named is not None else ""
        at = at.child_by_field_name("object") or at.named_children[0]
    return (taint.text(at), member) if at.type in _NAMES else ("", "")


def _keys(pattern: Node, used: Set[str]) -> frozenset[str] | None:
    """The keys of a pattern whose names are used; None where it is no plain pattern of an object."""
    if pattern.type != "object_pattern":
        return None
    found: set[str] = set()
    for child in pattern.named_children:
        if child.type == "rest_pattern":
            if not used.isdisjoint(names_of(child)):
                return None
            continue
        if used.isdisjoint(names_of(child)):
            continue
        key = child.named_children[0] if child.named_children else child
        if key.type == "computed_property_name":
            return None
        found.add(taint.text(key).strip("'\""))
    return frozenset(found)


def binds(node: Node) -> bool:
    """Whether an expression is a function bound to something: `handler.bind(this)`."""
    return node.type == "call_expression" and chains.name_of(node) == "bind"


def handed_by(argument: Node) -> Iterator[str]:
    """Variables that an argument hands over as they are, or as members of an object literal."""
    return _values(argument) if argument.type == "object" else _plain(argument)


def _plain(node: Node) -> Iterator[str]:
    """The variable that an expression is, or that it binds: `handler`, `handler.bind(this)`."""
    if node.type == "identifier" or binds(node):
        yield from roots(node)


def _values(node: Node) -> Iterator[str]:
    """Variables that an object literal holds as they are."""
    for child in node.named_children:
        value = child.child_by_field_name("value") if child.type == "pair" else child
        if value is not None and value.type in _NAMES:
            yield taint.text(value)


def roots(node: Node) -> Iterator[str]:
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


def indexes(node: Node) -> Iterator[str]:
    """Variables that a member of something is chosen by: `k` of `a[k].b`."""
    at: Node | None = node
    while at is not None and at.type in _PARTS:
        index = at.child_by_field_name("index")
        if index is not None:
            yield from roots(index)
        at = at.child_by_field_name(_PARTS[at.type]) or (at.named_children[0] if at.named_children else None)


def names_of(pattern: Node) -> Iterator[str]:
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
