"""Object literals of JavaScript and TypeScript files as the same lazy tree that YAML gives; nothing is run.

Read are literals, constants of the same file, spreads of them, and `process.env.X || 'default'` (its default).
Anything else becomes an opaque scalar (`${...}`), so that it is seen to be there and not taken for a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from auditor.infra.yaml_tree import Node

if TYPE_CHECKING:
    from tree_sitter import Node as Syntax

MAX_DEPTH = 40


@dataclass(frozen=True, slots=True)
class _Mark:
    line: int


@dataclass(frozen=True, slots=True)
class _Value:
    """The shape of a node of PyYAML."""

    id: str
    value: object
    start_mark: _Mark
    tag: str = ""


def objects_with(text: str, path: str, key: str) -> list[Node]:
    """Object literals of a script that have a member `key`, in order of appearance, outermost first."""
    from tree_sitter import Language, Parser

    if path.endswith((".ts", ".mts", ".cts")):
        from tree_sitter_typescript import language_typescript as language
    else:
        from tree_sitter_javascript import language
    root = Parser(Language(language())).parse(text.encode()).root_node
    reader = _Reader(dict(_constants(root)))
    found = [n for n in _walk(root) if n.type == "object" and any(k == key for k, _ in reader.members(n))]
    return [Node(reader.value(n, 0), path) for n in found]


def _walk(node: Syntax) -> Iterator[Syntax]:
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def _constants(root: Syntax) -> Iterator[tuple[str, Syntax]]:
    for node in _walk(root):
        if node.type == "variable_declarator":
            name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
            if name is not None and value is not None and name.type == "identifier":
                yield _text(name), value


def _text(node: Syntax) -> str:
    return node.text.decode("utf-8", "replace") if node.text is not None else ""


class _Reader:
    """Turns syntax into values; constants are those of the file."""

    def __init__(self, constants: dict[str, Syntax]) -> None:
        self.constants = constants

    def members(self, node: Syntax, depth: int = 0) -> Iterator[tuple[Syntax | str, Syntax]]:
        """Keys and values of an object literal, spreads opened."""
        for child in node.named_children:
            if child.type == "pair":
                key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
                if key is not None and value is not None:
                    yield _text(key).strip("'\"`"), value
            elif child.type == "shorthand_property_identifier":
                yield _text(child), child
            elif child.type == "spread_element" and depth < MAX_DEPTH and child.named_children:
                target = self._resolved(child.named_children[0])
                if target.type == "object":
                    yield from self.members(target, depth + 1)

    def value(self, node: Syntax, depth: int) -> _Value:
        mark = _Mark(node.start_point[0])
        target = self._resolved(node)
        if depth > MAX_DEPTH:
            return _Value("scalar", "${...}", mark, "str")
        if target.type == "object":
            pairs = {
                str(k): (_Value("scalar", str(k), _Mark(v.start_point[0]), "str"), self.value(v, depth + 1))
                for k, v in self.members(target)
            }
            return _Value("mapping", list(pairs.values()), mark)
        if target.type == "array":
            return _Value(
                "sequence", [self.value(c, depth + 1) for c in target.named_children if c.type != "comment"], mark
            )
        return _Value("scalar", self._scalar(target), mark, "str")

    def _resolved(self, node: Syntax) -> Syntax:
        for _ in range(MAX_DEPTH):
            if node.type in ("identifier", "shorthand_property_identifier") and _text(node) in self.constants:
                node = self.constants[_text(node)]
            elif (
                node.type in ("parenthesized_expression", "as_expression", "satisfies_expression")
                and node.named_children
            ):
                node = node.named_children[0]
            elif node.type == "binary_expression" and _text(node).startswith("process.env"):
                right = node.child_by_field_name("right")
                if right is None:
                    return node
                node = right
            else:
                return node
        return node

    def _scalar(self, node: Syntax) -> str:
        text = _text(node)
        if node.type == "string":
            return text[1:-1]
        if node.type == "template_string":
            return text[1:-1]
        if node.type in ("number", "true", "false", "null"):
            return text.replace("_", "") if node.type == "number" else text
        if node.type == "unary_expression" and text[1:].strip().isdigit():
            return text.replace(" ", "")
        return "${...}"
