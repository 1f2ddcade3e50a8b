"""The whole program: modules parsed when asked for, the import graph by text, and who mentions a name."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.code.model import UNPARSED
from auditor.code.source.exported import Exported
from auditor.code.source.files import CODE, SourceTree
from auditor.code.source.import_graph import ImportGraph
from auditor.code.source.isolation import Gaps
from auditor.code.source.modules import Resolver
from auditor.code.source.packages import Packages
from auditor.code.syntax.facts import Class, Function, Module
from auditor.code.syntax.parse import parse
from auditor.model import SkippedFile
from auditor.opening import Disk

if TYPE_CHECKING:
    from tree_sitter import Node

SEED = re.compile(
    rb"""['"](?:bullmq|bull|bullmq-pro|@taskforcesh/bullmq-pro|@nestjs/bull(?:mq|-shared)?)(?:/[^'"\n]*)?['"]"""
)


class Exhausted(Exception):  # noqa: N818  # not an error: what was asked for costs more than it is worth
    """A question takes more steps or files than were set aside for it."""


class Program:
    """Files, packages and modules of one repository."""

    def __init__(
        self,
        roots: Sequence[Path],
        exclude: Sequence[str] = (),
        deadline: float | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.tree = SourceTree(roots, exclude, disk)
        self.packages = Packages(self.tree)
        self.resolver = Resolver(self.tree, self.packages)
        self.graph = ImportGraph(self.tree, self.resolver)
        self.exported = Exported(self.tree, self.resolver)
        self.gaps = Gaps()
        self.deadline = deadline
        self.late = False
        self.frugal = False
        """Look for callers in files that are parsed already, and in no others."""
        self.parses = 0
        self.most_parses = 1 << 60
        self._modules: dict[str, Module | None] = {}
        self._callers: dict[str, dict[str, Module]] = {}
        self._indexed = 0
        self._seeds: list[str] | None = None
        self._implementing: frozenset[str] | None = None
        self._methods: dict[str, list[Function]] = {}
        self._classes_indexed = 0
        self._leading: dict[str, frozenset[str]] = {}

    # Modules

    def module(self, path: str) -> Module | None:
        """The parsed file; None where it cannot be read or is no code."""
        if path not in self._modules:
            self.parses += 1
            if self.parses > self.most_parses:
                raise Exhausted
            self._modules[path] = None
            data = self.tree.read(path) if path.endswith(CODE) and not self.tree.is_bulk(path) else None
            if data is not None:
                self._modules[path] = self._parse(path, data)
        return self._modules[path]

    def _parse(self, path: str, data: bytes) -> Module | None:
        try:
            return parse(path, data)
        except (ValueError, RecursionError, MemoryError) as error:
            self.tree.skipped.append(SkippedFile(path, f"{UNPARSED}: {type(error).__name__}"))
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
        if self._seeds is None:
            self._seeds = []
            for path in self.tree.paths:
                data = self.tree.read(path)
                if data is not None and b"bull" in data and SEED.search(data):
                    self._seeds.append(path)
        return self._seeds

    def leads_to(self, path: str, package: str) -> bool:
        """Whether a file imports a package by name, or over files that do."""
        known = self._leading.get(package)
        if known is None:
            quoted = (f"'{package}'".encode(), f'"{package}"'.encode())
            naming = [path for path in self.seeds() if self.mentions(path, quoted)]
            known = self._leading[package] = frozenset(naming).union(
                *(self.graph.all_importers(path) for path in naming)
            )
        return path in known

    def implementing(self) -> frozenset[str]:
        """Files in which something says that it implements an interface."""
        if self._implementing is None:
            self._implementing = frozenset(path for path in self.tree.paths if self.mentions(path, (b"implements",)))
        return self._implementing

    def methods_named(self, name: str) -> list[Function]:
        """Methods of that name of all classes that are parsed so far."""
        modules = list(self._modules.values())
        for module in modules[self._classes_indexed :]:
            for cls in module.classes if module is not None else ():
                for member, function in cls.members.items():
                    self._methods.setdefault(member, []).append(function)
        self._classes_indexed = len(modules)
        return self._methods.get(name, [])

    def mentions(self, path: str, words: Iterable[bytes]) -> bool:
        """Whether the file's bytes hold one of the words."""
        return self.tree.holds(path, words)

    def mentioning(self, path: str, words: Iterable[str], *, carried: bool = False) -> list[Module]:
        """Parsed modules that may refer to something in `path` by one of the words, the module itself first.

        `carried`: it travels inside objects (a method, a member of an object), so that files on its way need not name it.
        """
        wanted = [word.encode() for word in words if word]
        around = self.graph.all_importers(path) if carried else self.graph.naming(path, wanted)
        if self.frugal:
            around = around & self._modules.keys()
        sources = sorted(s for s in around if self.mentions(s, wanted)) if carried else sorted(around)
        found = [self.module(path), *(self.module(source) for source in sources if source != path)]
        return [module for module in found if module is not None]

    def users(self, fact: Function | Class) -> list[Module]:
        """Parsed modules that may name an exported function or class, its own first."""
        exported = self.exported_as(fact)
        words = self.names_of(fact) | (exported - {"default", "="})
        return self.with_importers(self.mentioning(fact.module.path, words), fact.module.path, exported)

    def with_importers(self, modules: list[Module], path: str, exported: set[str]) -> list[Module]:
        """The modules with all that import `path`, where these may call a default export by any name."""
        found = {module.path: module for module in modules}
        for source in self.graph.importers(path) if exported & {"default", "="} else ():
            if source not in found and (module := self.module(source)) is not None:
                found[source] = module
        return list(found.values())

    def calling(self, path: str, words: Iterable[str]) -> list[Module]:
        """Modules parsed so far, beneath those that import `path`, that call or hand over something of these names."""
        self._index_calls()
        own = self.module(path)
        found = {path: own} if own is not None else {}
        around = self.graph.all_importers(path)
        for word in words:
            for source, module in self._callers.get(word, {}).items():
                if source in around:
                    found[source] = module
        return list(found.values())

    def _index_calls(self) -> None:
        modules = self._modules
        if self._indexed == len(modules):
            return
        for path in list(modules)[self._indexed :]:
            module = modules[path]
            for name in module.names_called() if module is not None else ():
                self._callers.setdefault(name, {})[path] = module  # type: ignore[assignment]  # None gives no names
        self._indexed = len(modules)

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
