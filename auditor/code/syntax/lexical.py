"""Names and strings as the source writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

    from auditor.code.syntax.facts import Module

WRAPPING = frozenset(("parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"))
"""Expressions that are what they hold."""


def last_name(module: Module, node: Node) -> str:
    """The last name of a dotted expression: `c` of `a.b.c`; empty where it has none."""
    while node.type in ("non_null_expression", "parenthesized_expression", "as_expression") and node.named_children:
        node = node.named_children[0]
    if node.type == "member_expression":
        prop = node.child_by_field_name("property")
        return module.text(prop) if prop is not None else ""
    return module.text(node) if node.type in ("identifier", "this") else ""


def callee_of(node: Node) -> Node | None:
    """What a call calls, or `new` constructs: `a.f` of `await a.f<T>(x)`, whose `await` the grammar puts inside the call."""
    callee = node.child_by_field_name("constructor") or node.child_by_field_name("function")
    inside = callee is not None and callee.type == "await_expression" and node.child_by_field_name("type_arguments")
    return callee.named_children[0] if inside and callee is not None and callee.named_children else callee


def key_text(module: Module, node: Node) -> str:
    """The name that a key has, be it quoted."""
    text = module.text(node)
    return unquote(text) if node.type in ("string", "template_string") else text


_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


def unquote(text: str) -> str:
    """What a string literal stands for, without its quotes."""
    body = text[1:-1] if len(text) > 1 and text[0] in "'\"`" else text
    if "\\" not in body:
        return body
    return _ESCAPE.sub(lambda m: _escape(m.group(1)), body)


def _escape(code: str) -> str:
    if code[0] in "ux" and len(code) > 1:
        try:
            return chr(int(code.strip("ux{}"), 16))
        except (ValueError, OverflowError):
            return ""
    return _ESCAPES.get(code, code)


def holds(outer: Node, inner: Node) -> bool:
    """Whether a node stands in another, or is it."""
    return outer.start_byte <= inner.start_byte and inner.end_byte <= outer.end_byte
