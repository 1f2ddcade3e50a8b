"""Which branches a call stands in, so that calls of one path can be told from calls that exclude each other.

A branch is a word among an effect's `within`: `exits:<where>` for one that ends in return or throw (nothing after it is on
its path; `exits:<where>@<depth>` where a helper returns to a caller that goes on whatever it gives, so that only what comes
after it in that helper is left out), `arm:<where>:<which>` for a side of an if with an else or of a ternary, a case of a switch, or one of several
functions that a call may run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

RETURNS = ":returns"
"""How the word of a branch ends that leaves its function alone."""
_LEAVES = frozenset(("return_statement", "throw_statement"))
_CASES = frozenset(("switch_case", "switch_default"))


def branches_of(call: Node, function: Node) -> tuple[str, ...]:
    """The branches between a call and the function around it, outermost first."""
    found: list[str] = []
    at, parent = call, call.parent
    while parent is not None and at != function:
        if parent.type == "if_statement" and at != parent.child_by_field_name("condition"):
            leaving = _leaves(at)
            if leaving:
                found.append(
                    f"exits:{parent.start_byte}:{at.start_byte}{RETURNS if leaving == 'return_statement' else ''}"
                )
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


def goes_on(call: Node) -> bool:
    """Whether a caller goes on after a call whatever it gives: `await step();`."""
    at = call.parent
    while at is not None and at.type in ("await_expression", "parenthesized_expression"):
        at = at.parent
    return at is not None and at.type == "expression_statement"


def _leaves(branch: Node) -> str:
    """The kind of statement by which a branch leaves its function; empty where it does not."""
    if branch.type in _LEAVES:
        return branch.type
    inner = [child for child in branch.named_children if child.type != "comment"]
    return _leaves(inner[-1]) if branch.type in ("statement_block", "else_clause") and inner else ""
