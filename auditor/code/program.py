"""The whole program: modules parsed when asked for, the import graph by text, and who mentions a name."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.code.facts import Class, Function, Module
from auditor.code.files import CODE, SourceTree
from auditor.code.isolation import Gaps
from auditor.code.modules import Resolver
from auditor.code.packages import Packages
from auditor.code.syntax import parse
from auditor.model import SkippedFile

if TYPE_CHECKING:
    from tree_sitter import Node

SEED = re.compile(
    rb"""['"](?:bullmq|bull|bullmq-pro|@taskforcesh/bullmq-pro|@nestjs/bull(?:mq|-shared)?)(?:/[^'"\n]*)?['"]"""
)
_SPECIFIERS = (
    re.compile(rb"""from\s*['"]([^'"\n]+)['"]"""),
    re.compile(rb"""import\s*\(?\s*['"]([^'"\n]+)['"]"""),
    re.compile(rb"""require(?:\.resolve)?\(\s*['"]([^'"\n]+)['"]"""),
)
_TEMPLATES = re.compile(rb"""(?:require|import)\(\s*`\$\{\s*\w+\s*\}/?([^`$\n]+)`""")
_WORDS = (b"from", b"import", b"require")
_WHOLE = re.compile(rb"""^[ \t]*(?:export|import)\s*\*""", re.M)
_UNREAL = (
    b"import type ",
    b"export type {",
    b"// import",
    b"//import",
    b"* import",
    b"// const",
    b"// export",
    b"//const",
    b"* const",
)


class Exhausted(Exception):  # noqa: N818  # not an error: what was asked for costs more than it is worth
    """A question takes more steps or files than were set aside for it."""


class Program:
    """Files, packages and modules of one repository."""

    def __init__(self, roots: Sequence[Path], exclude: Sequence[str] = (), deadline: float | None = None) -> None:
        self.tree = SourceTree(roots, exclude)
        self.packages = Packages(self.tree)
        self.resolver = Resolver(self.tree, self.packages)
        self.gaps = Gaps()
        self.deadline = deadline
        self.late = False
        self.frugal = False
        """Look for callers in files that are parsed already, and in no others."""
        self.parses = 0
        self.most_parses = 1 << 60
        self._modules: dict[str, Module | None] = {}
        self._imports: dict[str, tuple[str, ...]] = {}
        self._importers: dict[str, list[str]] | None = None
        self._closures: dict[str, frozenset[str]] = {}
        self._passing: dict[str, bool] = {}

    # Modules

    def module(self, path: str) -> Module | None:
        """The parsed file; None where it cannot be read or is no code."""
        if path not in self._modules:
            self.parses += 1
            if self.parses > self.most_parses:
                raise Exhausted
            self._modules[path] = None
            if path.endswith(CODE) and (data := self.tree.read(path)) is not None:
                self._modules[path] = self._parse(path, data)
        return self._modules[path]

    def _parse(self, path: str, data: bytes) -> Module | None:
        try:
            return parse(path, data)
        except (ValueError, RecursionError, MemoryError) as error:
            self.tree.skipped.append(SkippedFile(path, f"could not be parsed: {type(error).__name__}"))
        except Exception as error:
            self.gaps.note("syntax", (), error, path)
        return None

    def loaded(self) -> list[Module]:
        """Modules parsed so far."""
        return [module for module in self._modules.values() if module is not None]

    def target(self, importer: str, spec: str) -> str | None:
        """The file that `spec` means in `importer`."""
        return self.resolver.resolve(importer, spec)

    def out_of_time(self) -> bool:
        """Whether the deadline has passed; noted for the report."""
        if self.deadline is not None and not self.late and time.monotonic() > self.deadline:
            self.late = True
        return self.late

    # Text

    def seeds(self) -> list[str]:
        """Files that import a queue library by name."""
        found = []
        for path in self.tree.paths:
            data = self.tree.read(path)
            if data is not None and b"bull" in data and SEED.search(data):
                found.append(path)
        return found

    def mentions(self, path: str, words: Iterable[bytes]) -> bool:
        """Whether the file's bytes hold one of the words."""
        data = self.tree.read(path)
        if data is not None:
            for word in words:
                if word in data:
                    return True
        return False

    def imports(self, path: str) -> tuple[str, ...]:
        """Files that a file imports, by its text."""
        known = self._imports.get(path)
        if known is None:
            known = self._imports[path] = tuple(dict.fromkeys(self._targets(path)))
        return known

    def _targets(self, path: str) -> Iterator[str]:
        data = self.tree.read(path)
        if data is None:
            return
        specs: dict[bytes, None] = {}
        for word, pattern in zip(_WORDS, _SPECIFIERS, strict=True):
            if word in data:
                specs.update(dict.fromkeys(pattern.findall(data)))
        for spec in specs:
            target = self.target(path, spec.decode("utf-8", "replace"))
            if target is not None and target.endswith(CODE):
                yield target
        if b"`${" in data:
            for spec in _TEMPLATES.findall(data):
                target = self.from_root(path, spec.decode("utf-8", "replace"))
                if target is not None:
                    yield target

    def real_imports(self, path: str) -> Iterator[str]:
        """Files that a file imports for their values: comments and `import type` are left out."""
        data = self.tree.read(path)
        if data is None:
            return
        if not any(word in data for word in _UNREAL):
            yield from self.imports(path)
            return
        for word, pattern in zip(_WORDS, _SPECIFIERS, strict=True):
            if word not in data:
                continue
            for match in pattern.finditer(data):
                line = data[data.rfind(b"\n", 0, match.start()) + 1 : match.start() + 12].lstrip()
                if line.startswith((b"//", b"*", b"import type ", b"export type ")):
                    continue
                target = self.target(path, match.group(1).decode("utf-8", "replace"))
                if target is not None and target.endswith(CODE):
                    yield target
        if b"`${" in data:
            for spec in _TEMPLATES.findall(data):
                target = self.from_root(path, spec.decode("utf-8", "replace"))
                if target is not None:
                    yield target

    def from_root(self, importer: str, below: str) -> str | None:
        """A path that code builds on its application root: `${appRoot}/jobs/x`, tried from the nearest package up."""
        for up in self.tree.up(importer):
            if self.tree.is_file(f"{up}/package.json" if up else "package.json"):
                found = self.resolver.file(f"{up}/{below.lstrip('/')}" if up else below.lstrip("/"))
                if found is not None:
                    return found
        return None

    def importers(self, path: str) -> list[str]:
        """Files beneath the roots that import a file directly."""
        if self._importers is None:
            self._importers = {}
            for source in self.tree.paths:
                for target in self.imports(source):
                    self._importers.setdefault(target, []).append(source)
        return self._importers.get(path, [])

    def all_importers(self, path: str) -> frozenset[str]:
        """Files from which a file is reached by imports, in any number of steps; the file itself not among them."""
        known = self._closures.get(path)
        if known is None:
            seen: set[str] = set()
            queue = deque([path])
            while queue:
                for source in self.importers(queue.popleft()):
                    if source not in seen:
                        seen.add(source)
                        queue.append(source)
            known = self._closures[path] = frozenset(seen)
        return known

    def mentioning(self, path: str, words: Iterable[str], *, carried: bool = False) -> list[Module]:
        """Parsed modules that may refer to something in `path` by one of the words, the module itself first.

        `carried`: it travels inside objects (a method, a member of an object), so that files on its way need not name it.
        """
        wanted = [word.encode() for word in words if word]
        found: list[Module] = []
        own = self.module(path)
        if own is not None:
            found.append(own)
        if carried:
            around = self.all_importers(path)
            sources = [
                s for s in (around & self._modules.keys() if self.frugal else around) if self.mentions(s, wanted)
            ]
        else:
            sources = self._naming(path, wanted)
        for source in sorted(sources):
            if (
                (not self.frugal or source in self._modules)
                and (module := self.module(source)) is not None
                and module is not own
            ):
                found.append(module)
        return found

    def _naming(self, path: str, words: list[bytes]) -> list[str]:
        """Files that hold one of the words and that `path` reaches over files that hold one too, or pass on all they import."""
        found: list[str] = []
        seen = {path}
        queue = deque([path])
        while queue:
            for source in self.importers(queue.popleft()):
                if source in seen:
                    continue
                seen.add(source)
                if self.mentions(source, words):
                    found.append(source)
                    queue.append(source)
                elif self._passes_on(source):
                    queue.append(source)
        return found

    def _passes_on(self, path: str) -> bool:
        """Whether a file may hand on what it imports without naming it: `export *`, `import * as`, exports of a `require`."""
        known = self._passing.get(path)
        if known is None:
            data = self.tree.read(path) or b""
            known = (b"*" in data and _WHOLE.search(data) is not None) or (b"require(" in data and b"exports" in data)
            self._passing[path] = known
        return known

    # Names

    def names_of(self, fact: Function | Class) -> set[str]:
        """Local names under which a function or class is bound where it is defined."""
        names = {fact.name} if fact.name and fact.name != "constructor" else set()
        node = fact.node
        parent = node.parent
        while parent is not None and parent.type in (
            "parenthesized_expression",
            "as_expression",
            "satisfies_expression",
        ):
            parent = parent.parent
        module = fact.module
        if parent is not None:
            if parent.type in ("variable_declarator", "public_field_definition", "field_definition"):
                named = parent.child_by_field_name("name") or parent.child_by_field_name("property")
                if named is not None and named.type != "object_pattern":
                    names.add(module.text(named))
            elif parent.type == "pair":
                named = parent.child_by_field_name("key")
                if named is not None:
                    names.add(module.text(named).strip("'\"`"))
            elif parent.type == "assignment_expression":
                left = parent.child_by_field_name("left")
                named = (
                    left.child_by_field_name("property")
                    if left is not None and left.type == "member_expression"
                    else left
                )
                if named is not None:
                    names.add(module.text(named))
        names = {name.strip("[]") for name in names}
        holder = _object_around(node)
        if holder is not None:
            names.update(f"{name}[]" for name in _holder_names(module, holder))
        names.discard("exports")
        return names

    def exported_as(self, fact: Function | Class) -> set[str]:
        """Names under which its module exports it, `default` and `=` among them."""
        module, names = fact.module, self.names_of(fact)
        found = set()
        for name, (kind, what) in module.exports.items():
            if kind == "local" and what in names:
                found.add(name)
            elif kind == "node" and isinstance(what, tuple):
                node = what[0]
                if node == fact.node or (node.type == "identifier" and module.text(node) in names):
                    found.add(name)
        return found


def _object_around(node: Node) -> Node | None:
    """The object literal that a function is a member of."""
    parent = node.parent
    if node.type == "method_definition":
        return parent if parent is not None and parent.type == "object" else None
    if parent is not None and parent.type == "pair":
        return parent.parent
    return None


def _holder_names(module: Module, node: Node) -> Iterator[str]:
    """The names of the variable, field or member that holds an object literal."""
    parent = node.parent
    while parent is not None and parent.type in (
        "as_expression",
        "satisfies_expression",
        "parenthesized_expression",
        "arguments",
        "call_expression",
    ):
        parent = parent.parent
    if parent is None:
        return
    for field in ("name", "property", "key", "left"):
        named = parent.child_by_field_name(field)
        if named is not None:
            text = module.text(named)
            yield text.rsplit(".", 1)[-1].strip("'\"")
            return
