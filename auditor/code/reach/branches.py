"""Which branches a call stands in, so that calls of one path can be told from calls that exclude each other.

A branch is a word among an effect's `within`: `exits:<where>` for one that ends in return or throw (nothing after it is on
its path), `arm:<where>:<which>` for a side of an if with an else or of a ternary, a case of a switch, or one of several
functions that a call may run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_LEAVES = frozenset(("return_statement", "throw_statement"))
_CASES = frozenset(("switch_case", "switch_default"))


def branches_of(call: Node, function: Node) -> tuple[str, ...]:
    """The branches between a call and the function around it, outermost first."""
    found: list[str] = []
    at, parent = call, call.parent
    while parent is not None and at != function:
        if parent.type == "if_statement" and at != parent.child_by_field_name("condition"):
            if _leaves(at):
                found.append(f"exits:{parent.start_byte}:{at.start_byte}")
            elif parent.child_by_field_name("alternative") is not None:
                found.append(f"arm:{parent.start_byte}:{at.start_byte}")
        elif at.type in _CASES or (
            parent.type == "ternary_expression" and at != parent.child_by_field_name("condition")
        ):
            found.append(f"arm:{parent.start_byte}:{at.start_byte}")
        at, parent = parent, parent.parent
    return tuple(reversed(found))


def choice_of(path: str, call: Node, which: int) -> str:
    """The branch of a call in file `path` that runs one of several functions."""
    return f"arm:{path}:{call.start_byte}-{call.end_byte}:{which}"


def _leaves(branch: Node) -> bool:
    if branch.type in _LEAVES:
        return True
    inner = [child for child in branch.named_children if child.type != "comment"]
    return branch.type in ("statement_block", "else_clause") and bool(inner) and _leaves(inner[-1])
