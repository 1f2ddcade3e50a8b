"""How long a whole run of a handler may take: the deadline that stands around all that it waits for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from auditor.code.evaluation.taint import text
from auditor.code.evaluation.values import Frame
from auditor.code.model import Option, OptionState, Role
from auditor.code.reach import deadlines
from auditor.code.syntax.facts import Call

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.evaluation.evaluate import Evaluator

_QUIET = frozenset((Role.LOG, Role.METRIC, Role.CLIENT, Role.BOUND, Role.VALIDATE, Role.CRYPTO, Role.REPORT))
"""What takes no time that matters."""
_SYNCHRONOUS = re.compile(r"^(?:JSON|Object|Math|String|Number|Boolean|Array|Date|Buffer|console)\b")
_THROUGH = frozenset(
    ("parenthesized_expression", "non_null_expression", "as_expression", "satisfies_expression", "array", "ternary_expression", "binary_expression")
)  # fmt: skip


Known: TypeAlias = "dict[tuple[int, int], tuple[Option | None, Frame | None]]"
"""By call and frame: what was told, and the frame, so that no other gets its identity."""


class Runs:
    """One handler: which deadlines its walk meets, and whether it waits for anything outside of them.

    `known` keeps what was told of each call, for the handlers of a program to share.
    """

    def __init__(self, ev: Evaluator, known: Known) -> None:
        self._ev = ev
        self._ends = known
        self._met: dict[int, Option] = {}
        self._open = False

    def ends(self, call: Call, frame: Frame | None) -> bool:
        """Whether the call ends what it is given after a time."""
        key = (call.node.id, id(frame))
        if key not in self._ends:
            self._ends[key] = deadlines.of(self._ev, call, frame), frame
        found, _ = self._ends[key]
        if found is not None:
            self._met[call.node.id] = found
        return found is not None

    def ended(self, call: Call, frame: Frame | None) -> bool:
        """Whether a call around this one, in whose arguments it stands, ends it after a time."""
        outer = call.scope.module.call_around(call)
        while outer is not None:
            if not outer.is_new and self.ends(outer, frame):
                return True
            outer = outer.scope.module.call_around(outer)
        return False

    def outside(self, call: Call, role: Role | None = None) -> None:
        """Note a call that nothing ends: if it is waited for, the run has no bound."""
        if call.is_new or role in _QUIET or not _waited_for(call.node):
            return
        if role is None and call.callee is not None and _SYNCHRONOUS.match(text(call.callee)):
            return
        self._open = self._open or not self.ends(call, None)

    def bound(self) -> Option | None:
        """The bound of the whole run in ms; None where it has none, unknown where it can't be told."""
        if self._open or not self._met:
            return None
        if len(self._met) > 1:
            return Option(OptionState.UNKNOWN, why="several deadlines stand in its reach")
        return next(iter(self._met.values()))


def whole(bounds: Sequence[Option | None]) -> Option | None:
    """The bound over all functions that a worker's jobs run; None where one of them has none."""
    known = [each for each in bounds if each is not None]
    if not known or len(known) < len(bounds):
        return None
    values = tuple(dict.fromkeys(value for each in known for value in (each.values or (each.value,))))
    unknown = next((each for each in known if each.state is OptionState.UNKNOWN), None)
    if unknown is not None or len(values) == 1:
        return unknown or known[0]
    return replace(known[0], state=OptionState.VARIES, value=None, values=values)


def _waited_for(node: Node) -> bool:
    """Whether the function waits for the call: it is awaited or returned, itself or by its chain or `Promise.all`."""
    at, parent = node, node.parent
    while parent is not None:
        if parent.type in ("await_expression", "return_statement"):
            return True
        if parent.type == "arrow_function":
            return parent.child_by_field_name("body") == at
        chained = parent.type == "member_expression" and parent.child_by_field_name("object") == at
        callee = parent.type == "call_expression" and parent.child_by_field_name("function") == at
        all_of = parent.type == "arguments" and parent.parent is not None and text(parent.parent).startswith("Promise.")
        if not (
            parent.type in _THROUGH
            or chained
            or callee
            or all_of
            or (parent.type == "call_expression" and at.type == "arguments")
        ):
            return False
        at, parent = parent, parent.parent
    return False
