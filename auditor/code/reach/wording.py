"""Source text as a reader takes it: callees, patterns, members of literals."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.code.evaluation.taint import text

if TYPE_CHECKING:
    from tree_sitter import Node


def callee_text(node: Node) -> str:
    """The callee as a reader would write it: arguments of inner calls left out, spaces gone."""
    callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
    shown = re.sub(r"\s+", "", text(callee)) if callee is not None else ""
    for _ in range(8):
        shorter = re.sub(r"\([^()]*\)", "", shown)
        if shorter == shown:
            break
        shown = shorter
    return re.sub(r"<[^<>]*>", "", shown).replace("!", "").replace("await", "").removeprefix("this.")


def unwrapped(pattern: Node) -> Node:
    """A parameter's pattern without its default and type."""
    while pattern.type in ("required_parameter", "optional_parameter", "assignment_pattern") and pattern.named_children:
        pattern = (
            pattern.child_by_field_name("pattern") or pattern.child_by_field_name("left") or pattern.named_children[0]
        )
    return pattern


def member_text(node: Node, name: str) -> str:
    """Source text of a member of an object literal; empty where it has none of that name."""
    for child in node.named_children if node.type == "object" else ():
        key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
        if key is not None and value is not None and text(key).strip("'\"") == name:
            return text(value)
    return ""
