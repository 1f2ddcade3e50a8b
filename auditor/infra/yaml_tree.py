"""YAML with lines: documents as lazy trees whose every value knows where it stands.

Built on PyYAML's composer, so no Python object of the file's choosing is ever made and an alias is the same node
again: a bomb of aliases costs nothing until somebody walks it, and `walk` has a budget. Nothing here raises on
what a file holds: what cannot be parsed comes back as a `Note`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from auditor.infra.model import Note, Setting
from auditor.model import FilePlace

MAX_BYTES = 2_000_000
"""Larger YAML is not read: a manifest by hand is a hundredth of it, and a cluster's dump can be split."""
MAX_NODES = 500_000
MAX_DEPTH = 200
MAX_MERGES = 50


class Node:
    """A YAML value: falsy and empty where there is none, so that chains of keys need no checks."""

    __slots__ = ("_node", "path", "shift")

    def __init__(self, node: Any, path: str, shift: int = 0) -> None:
        self._node = node  # Any: a node of PyYAML, which has no types for its composer
        self.path = path
        self.shift = shift

    def __bool__(self) -> bool:
        return self._node is not None

    @property
    def kind(self) -> str:
        """`mapping`, `sequence`, `scalar`, or empty."""
        return "" if self._node is None else str(self._node.id)

    @property
    def line(self) -> int:
        """1-based line on which it starts; 0 for nothing."""
        return 0 if self._node is None else int(self._node.start_mark.line) + 1 + self.shift

    @property
    def place(self) -> FilePlace:
        """File and line."""
        return FilePlace(self.path, self.line)

    @property
    def text(self) -> str:
        """A scalar as written; empty for anything else and for null."""
        if self.kind != "scalar" or self._node.tag == "tag:yaml.org,2002:null":
            return ""
        return str(self._node.value)

    @property
    def plain(self) -> bool:
        """A scalar without quotes: `true` and `1` are no texts."""
        return self.kind == "scalar" and getattr(self._node, "style", None) in (None, "")

    @property
    def text_line(self) -> int:
        """Line on which a scalar's text begins: a block scalar's is the one after its mark."""
        if self._node is None:
            return 0
        block = getattr(self._node, "style", None) in ("|", ">")
        return int(self._node.start_mark.line) + 1 + self.shift + block

    @property
    def truth(self) -> bool | None:
        """A boolean in any of YAML's or the tools' spellings; None for anything else."""
        return {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(self.text.lower())

    @property
    def number(self) -> int | None:
        """A whole number, or None."""
        text = self.text.strip()
        return int(text) if text.lstrip("-").isdigit() and text.isascii() else None

    @property
    def setting(self) -> Setting | None:
        """A scalar with its place; None when there is none."""
        return Setting(self.text, self.place) if self.text else None

    def __getitem__(self, key: str) -> Node:
        for name, value in self.items():
            if name == key:
                return value
        return Node(None, self.path)

    def at(self, *keys: str) -> Node:
        """The value under nested keys."""
        node = self
        for key in keys:
            node = node[key]
        return node

    def items(self) -> Iterator[tuple[str, Node]]:
        """Keys and values of a mapping; merge keys (`<<`) come after the mapping's own."""
        seen: set[str] = set()
        queue = [self._node]
        for _ in range(MAX_MERGES):
            if not queue:
                return
            node = queue.pop(0)
            if node is None or node.id != "mapping":
                continue
            for key, value in node.value:
                if key.id != "scalar":
                    continue
                if key.value == "<<" and key.tag == "tag:yaml.org,2002:merge":
                    queue += value.value if value.id == "sequence" else [value]
                elif key.value not in seen:
                    seen.add(str(key.value))
                    yield str(key.value), _Keyed(value, self.path, self.shift, key)

    def list(self) -> list[Node]:
        """Elements of a sequence; none for anything else."""
        return [Node(n, self.path, self.shift) for n in self._node.value] if self.kind == "sequence" else []

    def texts(self) -> tuple[str, ...]:
        """A scalar as one text, a sequence of scalars as several."""
        return tuple(n.text for n in self.list()) if self.kind == "sequence" else tuple(t for t in (self.text,) if t)

    @property
    def endless(self) -> bool:
        """Whether it is nested too deep, or its aliases written out make too much of it, to be followed whole."""
        try:
            return _grown(self._node, {}) >= MAX_NODES
        except RecursionError:
            return True

    def walk(self, budget: int = 20_000) -> Iterator[tuple[str, Node]]:
        """(key, value) of every mapping below, depth first; stops quietly after `budget` values."""
        stack = [self]
        while stack and budget > 0:
            node = stack.pop()
            for child in reversed(node.list()):
                stack.append(child)
                budget -= 1
            for key, value in node.items():
                budget -= 1
                if budget <= 0:
                    return
                yield key, value
                if value.kind != "scalar":
                    stack.append(value)


class _Keyed(Node):
    """A value of a mapping: its line is its key's, which is where a reader looks."""

    __slots__ = ("_key",)

    def __init__(self, node: Any, path: str, shift: int, key: Any) -> None:
        super().__init__(node, path, shift)
        self._key = key

    @property
    def line(self) -> int:
        return int(self._key.start_mark.line) + 1 + self.shift


def documents(text: str, path: str) -> tuple[list[Node], list[Note]]:
    """All documents of a YAML (or JSON) text; those before a broken place are kept, the break becomes a note.

    A template (`{{ }}`) is not YAML: its directive lines are blanked and inline expressions become opaque
    scalars, so that what the template states literally is still seen; a note says so.
    """
    import yaml

    notes: list[Note] = []
    if len(text) > MAX_BYTES:
        return [], [Note(FilePlace(path), f"larger than {MAX_BYTES:,} bytes: not read")]
    if too_deep(text):
        return [], [Note(FilePlace(path), f"nested deeper than {MAX_DEPTH} levels: not read")]
    if "{{" in text and _templated(text):
        text = _without_templates(text)
        notes.append(Note(FilePlace(path), "a template: only what it states literally was read"))
    loader_type = _loader()
    found: list[Node] = []
    try:
        # The loader composes nodes only; constructing objects is never asked for.
        loader = loader_type(text)
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                found.append(Node(node, path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark is not None else 0
        notes.append(Note(FilePlace(path, line), f"not valid YAML from here on: {what}"))
    return found, notes


def _grown(node: Any, known: dict[int, int]) -> int:
    size = known.get(id(node))
    if size is None:
        known[id(node)] = MAX_NODES  # until it is done: whoever meets it again is inside of it
        held = node.value if isinstance(node.value, list) else ()
        inner = (part for one in held for part in (one if isinstance(one, tuple) else (one,)))
        size = known[id(node)] = min(1 + sum(_grown(part, known) for part in inner), MAX_NODES)
    return size


@cache
def _loader() -> Any:  # Any: PyYAML has no types for its loaders
    """The safe loader, C where there is one, without the guessing of types that nobody here needs: half of its time."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Untyped(base):  # type: ignore[misc, valid-type]  # its base is only known here
        def resolve(self, kind: type, value: str, implicit: tuple[bool, bool]) -> str:
            if kind is yaml.ScalarNode and implicit[0]:
                if value in ("", "~", "null", "Null", "NULL"):
                    return "tag:yaml.org,2002:null"
                return "tag:yaml.org,2002:merge" if value == "<<" else "tag:yaml.org,2002:str"
            return "tag:yaml.org,2002:str" if kind is yaml.ScalarNode else "tag:yaml.org,2002:map"

        def descend_resolver(self, *_: object) -> None:
            """Nothing resolves by path."""

        def ascend_resolver(self) -> None:
            """Nothing resolves by path."""

    return Untyped


def too_deep(text: str) -> bool:
    """Whether brackets nest deeper than anything written by hand, by a rough count: quotes may fool it, upwards only, and no real file comes near."""
    depth = 0
    for character in text if text.count("[") + text.count("{") > MAX_DEPTH else "":
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False


def _templated(text: str) -> bool:
    """Go templates: directives on lines of their own, or as bare values; not `${{ }}` and not within quotes."""
    import re

    return re.search(r"^\s*(-\s+)?\{\{|:\s+\{\{", text, re.M) is not None


def _without_templates(text: str) -> str:
    """The text with directive lines blanked and inline expressions opaque; line numbers stay."""
    import re

    def opaque(match: re.Match[str]) -> str:
        return "TEMPLATE" + "\n" * match.group(0).count("\n")

    lines = []
    for line in re.sub(r"\{\{.*?\}\}", opaque, text, flags=re.DOTALL).split("\n"):
        rest = line.strip().replace("TEMPLATE", "").strip()
        lines.append("" if "TEMPLATE" in line and not rest.strip("-:'\" ") and ":" not in line else line)
    return "\n".join(lines)
