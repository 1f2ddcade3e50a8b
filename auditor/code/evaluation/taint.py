"""Which values of the job an expression depends on: `job.id`, `job.data.orderId`, followed through variables and calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

Paths = frozenset[str]
"""Dotted paths; one that ends in `~` was computed from the value, so that a member of it is no member of the job."""
NONE: Paths = frozenset()
_DEEPEST = 60


def text(node: Node) -> str:
    """Source text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def of(node: Node, env: Mapping[str, Paths], depth: int = 0) -> Paths:
    """The job's values that `node` depends on, by the variables of `env`."""
    if not env or depth > _DEEPEST:
        return NONE
    match node.type:
        case "identifier" | "shorthand_property_identifier":
            return env.get(text(node), NONE)
        case "member_expression" | "subscript_expression":
            return _member(node, env, depth)
        case (
            "await_expression"
            | "parenthesized_expression"
            | "non_null_expression"
            | "as_expression"
            | "satisfies_expression"
        ):
            inner = node.named_children[0] if node.named_children else None
            return of(inner, env, depth + 1) if inner is not None else NONE
        case "arrow_function" | "function_expression" | "class_body":
            return NONE
    found = NONE
    for child in node.named_children:
        if node.type == "pair" and child == node.child_by_field_name("key") and child.type != "computed_property_name":
            continue
        paths = of(child, env, depth + 1)
        found = found | paths if found and paths else paths or found
    return found if node.type == "object" or not found else _used(found)


def bind(pattern: Node, paths: Paths, env: dict[str, Paths]) -> None:
    """Bind the names of a pattern to members of what it takes apart."""
    match pattern.type:
        case "identifier" | "shorthand_property_identifier_pattern":
            env[text(pattern)] = env.get(text(pattern), NONE) | paths
        case "object_pattern":
            for child in pattern.named_children:
                if child.type == "shorthand_property_identifier_pattern":
                    bind(child, extended(paths, text(child)), env)
                elif child.type == "pair_pattern":
                    key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                    if key is not None and value is not None:
                        bind(value, extended(paths, text(key).strip("'\"")), env)
                elif child.named_children:
                    bind(
                        child.named_children[0],
                        paths if child.type == "rest_pattern" else extended(paths, text(child.named_children[0])),
                        env,
                    )
        case "array_pattern":
            for child in pattern.named_children:
                bind(child, _used(paths), env)
        case "assignment_pattern" | "object_assignment_pattern" | "rest_pattern":
            if pattern.named_children:
                bind(pattern.named_children[0], paths, env)


@lru_cache(8192)
def _used(paths: Paths) -> Paths:
    """What is made of each path."""
    return frozenset(path if path.endswith("~") else f"{path}~" for path in paths)


@lru_cache(8192)
def extended(paths: Paths, name: str) -> Paths:
    """Member `name` of each path."""
    return frozenset(path if path.endswith("~") or path.count(".") > 4 else f"{path}.{name}" for path in paths)


def shown(paths: Paths) -> tuple[str, ...]:
    """The paths as a report shows them."""
    return tuple(sorted({path.rstrip("~") for path in paths}))


def names_in(node: Node) -> Iterator[str]:
    """Identifiers and dotted members that an expression names: `status`, `payment.status`."""
    stack = [node]
    while stack:
        at = stack.pop()
        if at.type in ("identifier", "shorthand_property_identifier", "this"):
            yield text(at)
        elif at.type == "member_expression":
            whole = text(at).replace("?.", ".").replace("!", "")
            yield whole if len(whole) < 80 and "(" not in whole else whole.rsplit(".", 1)[-1]
        if at.type not in ("arrow_function", "function_expression"):
            stack.extend(reversed(at.named_children))


def _member(node: Node, env: Mapping[str, Paths], depth: int) -> Paths:
    held = node.child_by_field_name("object")
    if held is None:
        return NONE
    inner = of(held, env, depth + 1)
    name = node.child_by_field_name("property") or node.child_by_field_name("index")
    if node.type == "subscript_expression":
        also = of(name, env, depth + 1) if name is not None else NONE
        return extended(inner, text(name).strip("'\"") if name is not None and name.type == "string" else "*") | also
    return extended(inner, text(name)) if name is not None else inner
