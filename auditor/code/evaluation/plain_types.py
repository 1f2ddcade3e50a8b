"""What a declared type says at a look: whether its values may be functions, and whose methods they have."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.syntax.facts import Module


class Sort(IntEnum):
    """What an expression is at first sight; the lower, the less is known."""

    ANYTHING = 0
    """It may be a function."""
    OBJECT = 1
    """No function itself; its members may be."""
    NATIVE = 2
    """An object of the language, a list or a promise: its methods are the language's."""
    PRIMITIVE = 3


DEEPEST = 6
"""Aliases, wrappers and members that are followed."""
NATIVE_TYPES = frozenset(
    ("Array", "ReadonlyArray", "Map", "ReadonlyMap", "Set", "ReadonlySet", "WeakMap", "WeakSet", "Date", "RegExp", "Buffer", "Uint8Array", "Promise",
     "URL", "URLSearchParams", "Headers", "FormData")
)  # fmt: skip
_OBJECT_TYPES = frozenset(("Record", "Partial", "Required", "Pick", "Omit", "Error", "TypeError"))
_SAME_TYPES = frozenset(("Readonly", "NonNullable", "Awaited"))
_HOLDING = frozenset(
    ("Array", "ReadonlyArray", "Map", "ReadonlyMap", "Set", "ReadonlySet", "Record", "Partial", "Required", "Readonly", "NonNullable", "Pick", "Omit")
)  # fmt: skip
"""Types whose values hold what their arguments say, and nothing that runs."""
_VALUES = frozenset(("Date", "RegExp", "Buffer", "Uint8Array", "URL", "URLSearchParams", "Headers", "FormData"))
_PRIMITIVES = frozenset(("string", "number", "boolean", "bigint", "symbol", "void", "never", "undefined", "null"))


def member_type(declared: Node, name: str, module: Module, depth: int = 0) -> Node | None:
    """The declared type of a member of an object type, an interface or an alias of this file."""
    if depth > DEEPEST:
        return None
    match declared.type:
        case "type_annotation" | "parenthesized_type" | "readonly_type":
            return member_type(declared.named_children[0], name, module, depth + 1) if declared.named_children else None
        case "object_type" | "interface_body":
            for child in declared.named_children:
                named = child.child_by_field_name("name") if child.type == "property_signature" else None
                if named is not None and module.text(named).strip("'\"") == name:
                    return child.child_by_field_name("type")
            return None
        case "intersection_type":
            found = [member_type(child, name, module, depth + 1) for child in declared.named_children]
            return next((one for one in found if one is not None), None)
        case "type_identifier":
            alias = module.type_aliases.get(module.text(declared))
            body = (
                alias.child_by_field_name("value") or alias.child_by_field_name("body") if alias is not None else None
            )
            return member_type(body, name, module, depth + 1) if body is not None else None
    return None


def item_type(declared: Node) -> Node | None:
    """`T` of `T[]`, `Array<T>` or `Set<T>`."""
    at = declared
    while at.type in ("type_annotation", "parenthesized_type", "readonly_type") and at.named_children:
        at = at.named_children[-1]
    if at.type == "array_type":
        return at.named_children[0] if at.named_children else None
    given = at.child_by_field_name("type_arguments") if at.type == "generic_type" else None
    return given.named_children[0] if given is not None and len(given.named_children) == 1 else None


def holds_nothing(node: Node, module: Module, depth: int = 0) -> bool:
    """Whether values of a declared type surely hold no function, in whatever member, as far as its own file tells."""
    if depth > DEEPEST:
        return False
    parts = node.named_children
    match node.type:
        case (
            "type_annotation"
            | "parenthesized_type"
            | "readonly_type"
            | "array_type"
            | "union_type"
            | "tuple_type"
            | "intersection_type"
        ):
            return bool(parts) and all(holds_nothing(part, module, depth + 1) for part in parts)
        case "predefined_type":
            word = module.text(node)
            return word in _PRIMITIVES or word == "unknown"
        case "literal_type" | "template_literal_type":
            return True
        case "object_type" | "interface_body":
            return all(_is_plain_member(part, module, depth) for part in parts if part.type != "comment")
        case "generic_type":
            named, given = node.child_by_field_name("name"), node.child_by_field_name("type_arguments")
            held = module.text(named) in _HOLDING if named is not None else False
            return (
                held
                and given is not None
                and all(holds_nothing(part, module, depth + 1) for part in given.named_children)
            )
        case "type_identifier":
            return _is_plain_name(module.text(node), module, depth)
    return False


def _is_plain_member(member: Node, module: Module, depth: int) -> bool:
    declared = member.child_by_field_name("type")
    if declared is None or member.type not in ("property_signature", "index_signature"):
        return False
    return holds_nothing(declared, module, depth + 1)


def _is_plain_name(word: str, module: Module, depth: int) -> bool:
    alias = module.type_aliases.get(word)
    if alias is not None:
        body = alias.child_by_field_name("value") or alias.child_by_field_name("body")
        extended = any(child.type == "extends_type_clause" for child in alias.named_children)
        return body is not None and not extended and holds_nothing(body, module, depth + 1)
    binding = module.scope.names.get(word)
    return binding.kind == "enum" if binding is not None else word in _VALUES


def of_type(node: Node, module: Module, depth: int = 0) -> Sort:
    """What values of a declared type are, as far as its own file tells."""
    if depth > DEEPEST:
        return Sort.ANYTHING
    match node.type:
        case "type_annotation" | "parenthesized_type" | "readonly_type":
            return of_type(node.named_children[-1], module, depth + 1) if node.named_children else Sort.ANYTHING
        case "predefined_type":
            return Sort.PRIMITIVE if module.text(node) in _PRIMITIVES else Sort.ANYTHING
        case "literal_type" | "template_literal_type":
            return Sort.PRIMITIVE
        case "array_type" | "tuple_type":
            return Sort.NATIVE
        case "union_type":
            return min((of_type(child, module, depth + 1) for child in node.named_children), default=Sort.ANYTHING)
        case "intersection_type":
            parts = [of_type(child, module, depth + 1) for child in node.named_children]
            return Sort.OBJECT if parts and min(parts) is not Sort.ANYTHING else Sort.ANYTHING
        case "object_type" | "interface_body":
            return (
                Sort.ANYTHING if any(child.type == "call_signature" for child in node.named_children) else Sort.OBJECT
            )
        case "generic_type":
            named = node.child_by_field_name("name")
            given = node.child_by_field_name("type_arguments")
            word = module.text(named) if named is not None else ""
            if word in _SAME_TYPES and given is not None and given.named_children:
                return of_type(given.named_children[0], module, depth + 1)
            return _of_name(word, module, depth)
        case "type_identifier":
            return _of_name(module.text(node), module, depth)
    return Sort.ANYTHING


def _of_name(word: str, module: Module, depth: int) -> Sort:
    alias = module.type_aliases.get(word)
    if alias is not None:
        body = alias.child_by_field_name("value") or alias.child_by_field_name("body")
        plain = alias.type != "interface_declaration" or not any(
            c.type == "extends_type_clause" for c in alias.named_children
        )
        return of_type(body, module, depth + 1) if body is not None and plain else Sort.ANYTHING
    binding = module.scope.names.get(word)
    if binding is not None:
        return Sort.OBJECT if binding.kind in ("class", "enum") else Sort.ANYTHING
    if word in NATIVE_TYPES:
        return Sort.NATIVE
    return Sort.OBJECT if word in _OBJECT_TYPES else Sort.ANYTHING
