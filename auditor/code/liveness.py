"""What runs: files that an entry point reaches by imports, and functions that living code calls.

A function counts as dead only where nothing that lives names it, or all its callers are dead. Where entry points can't
be told, everything lives.
"""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.code import callers, classes, types
from auditor.code.facts import Class, Function, Module
from auditor.code.model import EntryPoint
from auditor.code.program import Program

if TYPE_CHECKING:
    from auditor.code.evaluate import Evaluator

_ROUTES = re.compile(
    r"(?:^|/)(?:pages/|app/(?:.*/)?(?:route|page|layout|actions?|loading|error)\.[jt]sx?$|middleware\.[jt]s$|instrumentation\.[jt]s$|proxy\.[jt]s$"
    r"|server/(?:api|routes|plugins|middleware|tasks)/|routes/.*\+?server\.[jt]s$|hooks\.server\.[jt]s$|app/routes/|\+page\.server\.[jt]s$)"
)
_FRAMEWORKS = (
    "next",
    "nuxt",
    "@sveltejs/kit",
    "@remix-run/node",
    "nitropack",
    "@react-router/node",
    "vinxi",
    "@tanstack/start",
)
_LOADS_FOLDERS = (
    b"readdir",
    b"glob(",
    b"globSync(",
    b"autoload",
    b"autoLoad",
    b"AutoLoad",
    b"requireAll",
    b"require-all",
    b"import.meta.glob",
    b"fast-glob",
)
_LOADS_OWN = re.compile(
    rb"\b(?:require|import|load|read|register)\w*(?:<[^;()]*>)?\(\s*(?:path\.(?:join|resolve)\(\s*)?(?:__dirname|import\.meta\.dirname)\b",
    re.I,
)
"""A helper of the program, or a package's, that is handed the folder of the file itself."""
_OWN_FOLDER = (b"__dirname", b".dirname")
_PATH_STRING = re.compile(rb"""['"`](\.{1,2}/[^'"`\s]+?|[\w./-]+\.[cm]?[jt]s)['"`]""")
_STARTS_FILES = (
    b"fork(",
    b"new Worker",
    b"workerpool",
    b"Piscina",
    b".process(",
    b"new URL(",
    b"require.resolve(",
    b"__dirname",
    b"register(",
)
_HOOKS = frozenset(
    ("onModuleInit", "onApplicationBootstrap", "onModuleDestroy", "beforeApplicationShutdown", "onApplicationShutdown", "configure", "process",
     "connectedCallback", "register", "boot", "onReady", "onClose", "handle", "execute", "run")
)  # fmt: skip
_CONVENTIONS = frozenset(
    ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "default", "register", "middleware", "handler", "loader", "action", "config", "getServerSideProps")
)  # fmt: skip
_DI = frozenset(
    ("Injectable", "Controller", "Processor", "Resolver", "WebSocketGateway", "Module", "Catch", "EventSubscriber", "QueueEventsListener", "Service", "Command", "Console")
)  # fmt: skip


class Liveness:
    """Answers whether code runs, and from which entry points a file is reached."""

    def __init__(self, ev: Evaluator, entry_points: Sequence[EntryPoint], candidates: Sequence[Module]) -> None:
        self.ev = ev
        self.program: Program = ev.program
        self.entries = self._inside(entry_points)
        self.guessed: list[EntryPoint] = []
        self.known = bool(self.entries)
        self.reached: dict[str, set[str]] = {}
        """entry path -> files reached from it."""
        self.living: set[str] = set()
        self.loaded: set[str] = set()
        """Files whose folder is read as a whole: what they export is called by names that are computed."""
        self._targets: dict[str, list[str]] = {}
        self._functions: dict[int, bool] = {}
        self._tables: dict[str, set[bytes]] = {}
        if self.known:
            self.guessed = [self._guess(module) for module in candidates if self._is_program(module)] + list(
                self._apps()
            )
            for entry in (*self.entries, *self.guessed):
                self.reached.setdefault(entry.path, self._closure(self._starts(entry)))
            for files in self.reached.values():
                self.living |= files

    # Files

    def _inside(self, entry_points: Sequence[EntryPoint]) -> list[EntryPoint]:
        """Entry points beneath the roots, with paths as the tree names them."""
        tree, found = self.program.tree, list[EntryPoint]()
        for entry in entry_points:
            path = Path(entry.path)
            absolute = path if path.is_absolute() else tree.top / path
            relative = tree.relative(absolute.resolve())
            if relative in tree.inside:
                found.append(EntryPoint(entry.service, relative, entry.line, entry.why))
        return found

    def _starts(self, entry: EntryPoint) -> list[str]:
        """The file itself, and for frameworks that load by file name all that they load in its package."""
        home = self._framework_home(entry.path)
        starts = [entry.path]
        if home is None:
            return starts
        lead = f"{home}/" if home else ""
        if self._starts_framework(entry, lead):
            starts += self._routes(lead)
        return starts

    def _routes(self, lead: str) -> list[str]:
        return [p for p in self.program.tree.paths if p.startswith(lead) and _ROUTES.search(p[len(lead) :])]

    def _apps(self) -> Iterator[EntryPoint]:
        """An entry point for each framework's app that no known one starts: `next start` names no file."""
        homes = {home: "" for entry in self.entries if (home := self._framework_home(entry.path)) is not None}
        for home in homes:
            lead = f"{home}/" if home else ""
            own = [entry for entry in self.entries if self._framework_home(entry.path) == home]
            routes = self._routes(lead)
            if routes and not any(self._starts_framework(entry, lead) for entry in own):
                yield EntryPoint(posixpath.basename(home) or "app", routes[0], 0, "the framework loads it by its name")

    def _framework_home(self, path: str) -> str | None:
        """The folder of the package that governs a file, where it uses a framework that loads files by their names."""
        home = self.program.packages.governing(path)
        if home is None:
            return None
        names = self.program.packages.declared(home, "dependencies", "devDependencies")
        return home if names.intersection(_FRAMEWORKS) else None

    def _starts_framework(self, entry: EntryPoint, lead: str) -> bool:
        """Whether an entry point runs the framework itself, and not a script beside it."""
        data = self.program.tree.read(entry.path) or b""
        imports = any(f"'{name}'".encode() in data or f'"{name}"'.encode() in data for name in _FRAMEWORKS)
        return imports or bool(_ROUTES.search(entry.path.removeprefix(lead)))

    def _closure(self, starts: Iterable[str]) -> set[str]:
        seen = set(starts)
        queue = deque(seen)
        while queue:
            path = queue.popleft()
            for target in self._edges(path):
                if target not in seen:
                    seen.add(target)
                    queue.append(target)
        return seen

    def _edges(self, path: str) -> list[str]:
        if path not in self._targets:
            self._targets[path] = list(dict.fromkeys(self._find_edges(path)))
        return self._targets[path]

    def _find_edges(self, path: str) -> list[str]:
        data = self.program.tree.read(path)
        if data is None:
            return []
        found = list(self.program.real_imports(path))
        if any(word in data for word in _STARTS_FILES):
            for text in _PATH_STRING.findall(data):
                spec = text.decode("utf-8", "replace")
                target = self.program.target(path, spec if spec.startswith(".") else f"./{spec}")
                if target is not None:
                    found.append(target)
        if any(word in data for word in _LOADS_FOLDERS) or (
            any(word in data for word in _OWN_FOLDER) and _LOADS_OWN.search(data)
        ):
            folder = posixpath.dirname(path)
            if folder:
                beneath = [p for p in self.program.tree.paths if p.startswith(folder + "/")]
                self.loaded.update(beneath)
                found += beneath
        return found

    def _is_program(self, module: Module) -> bool:
        """A file that exports nothing and that nobody imports: somebody starts it by hand, or it would not be there."""
        if module.exports or module.stars or module.path not in self.program.tree.inside:
            return False
        home = posixpath.dirname(module.path)
        if any(self._under(home, posixpath.dirname(entry.path)) for entry in self.entries):
            return False
        return not self.program.importers(module.path) and any(call.scope.func is None for call in module.calls)

    @staticmethod
    def _under(folder: str, source: str) -> bool:
        """Whether a folder belongs to the sources of a known entry point, which would import what it needs."""
        return bool(source) and (folder == source or folder.startswith(source + "/"))

    def _guess(self, module: Module) -> EntryPoint:
        name = posixpath.splitext(posixpath.basename(module.path))[0]
        return EntryPoint(name, module.path, 0, "nothing imports it and it exports nothing: started by hand")

    # Functions

    def is_live(self, module: Module, function: Function | None) -> bool:
        """Whether code of a function (None: of the file's top level) runs."""
        if not self.known:
            return True
        if module.path not in self.living:
            return False
        outer = _outermost(function)
        if outer is None:
            return True
        return self._called(outer)

    def _called(self, function: Function) -> bool:
        known = self._functions.get(id(function))
        if known is None:
            self._functions[id(function)] = False
            verdict = self.ev.within(lambda: self._find_caller(function), 40_000, 60)
            known = self._functions[id(function)] = True if verdict is None else verdict
        return known

    def _find_caller(self, function: Function) -> bool:
        if self._by_framework(function):
            return True
        found = callers.sites(self.ev, function)
        if any(self.is_live(site.call.scope.module, site.call.scope.func) for site in found):
            return True
        if self._loaded_by_folder(function):
            return True
        return not found and self._mentioned(function)

    def _loaded_by_folder(self, function: Function) -> bool:
        """Whether it, or the class whose public method it is, is exported by a file that is loaded with its folder."""
        path = function.module.path
        if path not in self.loaded or self.program.importers(path):
            return False
        return bool(self.program.exported_as(function.cls if function.cls is not None else function))

    def _by_framework(self, function: Function) -> bool:
        """Whether something outside of the program calls it: decorated, a hook of an injected class, a route's export."""
        cls = function.cls
        if cls is not None and function.kind in ("method", "get", "set", "constructor"):
            if function.decorators and self._class_lives(cls):
                return True
            injected = types.decorator(cls.module, cls.decorators, _DI) is not None
            external = cls.base is not None and len(classes.ancestry(self.ev, cls)) == 1
            if (injected or external) and (function.name in _HOOKS or function.kind == "constructor"):
                return self._class_lives(cls)
            return False
        exported = self.program.exported_as(function)
        return bool(exported & _CONVENTIONS) and (
            bool(_ROUTES.search(function.module.path)) or function.module.path in self.reached
        )

    def _class_lives(self, cls: Class) -> bool:
        """Whether anything that lives names a class: makes it, provides it or extends it."""
        names = self.program.names_of(cls) | (self.program.exported_as(cls) - {"default", "="})
        if not names:
            return True
        return (
            any(
                path != cls.module.path and self._names(path) & {name.encode() for name in names}
                for path in self.program.all_importers(cls.module.path) & self.living
            )
            or cls.module.source.count(next(iter(names)).encode()) > 1
        )

    def _mentioned(self, function: Function) -> bool:
        """Whether some living file names it, beside where it is defined, imported and exported."""
        names = {name.removesuffix("[]") for name in self.program.names_of(function)} - {""}
        cls = function.cls
        if function.kind == "constructor" and cls is not None:
            names = self.program.names_of(cls)
        if not names:
            return True
        words = [re.compile(rb"(?<![\w$])" + re.escape(name.encode()) + rb"(?![\w$])") for name in names]
        exported = self.program.exported_as(function if function.kind != "constructor" or cls is None else cls)
        files = {function.module.path}
        if exported or cls is not None:
            files |= self.program.all_importers(function.module.path) & self.living
        for path in files:
            data = self.program.tree.read(path) or b""
            for word in words:
                for match in word.finditer(data):
                    if not _is_declaration(data, match.start(), match.end()):
                        return True
        return False

    def _names(self, path: str) -> set[bytes]:
        if path not in self._tables:
            self._tables[path] = set(re.findall(rb"[A-Za-z_$][\w$]*", self.program.tree.read(path) or b""))
        return self._tables[path]


_IMPORT_LINE = re.compile(rb"^\s*(?:import\b|export\s*(?:\{|\*)|\}\s*from|//|\*|/\*|type\b|interface\b)")
_DEFINES = re.compile(
    rb"(?:function\s*\*?|class|interface|type|const|let|var|async|private|public|protected|static|export|default)\s+$"
)


def _is_declaration(data: bytes, start: int, end: int) -> bool:
    """Whether an occurrence of a name only defines, imports or exports it."""
    line_start = data.rfind(b"\n", 0, start) + 1
    line = data[line_start : end + 200].split(b"\n", 1)[0]
    if _IMPORT_LINE.match(line):
        return True
    before, after = data[max(0, start - 40) : start], data[end : end + 40].lstrip()
    if _DEFINES.search(before):
        return True
    if after[:1] in (b",", b"}") or after[:2] == b"as":
        return _in_import(data, start)
    own_line = data[line_start:start].strip()
    return not own_line and after[:1] in (b"(", b"<") and _is_method(data, end)


def _in_import(data: bytes, at: int) -> bool:
    """Whether a place is inside the braces of an import or export clause that spans lines."""
    brace = data.rfind(b"{", 0, at)
    if brace < 0 or data.rfind(b"}", 0, at) > brace:
        return False
    return data[max(0, brace - 40) : brace].rstrip().endswith((b"import", b"export", b"import type", b"export type"))


def _is_method(data: bytes, at: int) -> bool:
    """Whether `name(…)` opens a method's body."""
    depth = 0
    for index in range(at, min(len(data), at + 2000)):
        char = data[index : index + 1]
        if char == b"(":
            depth += 1
        elif char == b")":
            depth -= 1
            if depth == 0:
                return data[index + 1 : index + 120].lstrip()[:1] in (b"{", b":")
    return False


def _outermost(function: Function | None) -> Function | None:
    """The function nearest to the module's or class's level around a place; None for code that runs as the file loads."""
    found: Function | None = None
    at = function
    while at is not None:
        found = at
        at = at.scope.parent.func if at.scope.parent is not None else None
    if found is not None and found.kind in ("arrow", "function") and not found.name and _runs_at_once(found):
        return None
    return found


def _runs_at_once(function: Function) -> bool:
    """Whether a nameless function is handed to a call, or called, where it is written."""
    parent = function.node.parent
    while parent is not None and parent.type in (
        "parenthesized_expression",
        "await_expression",
        "pair",
        "object",
        "array",
    ):
        parent = parent.parent
    return parent is not None and parent.type in ("arguments", "call_expression", "decorator")
