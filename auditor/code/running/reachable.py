"""Files that run: those that an entry point reaches by imports, by paths that it starts, or by a framework's conventions."""

from __future__ import annotations

import posixpath
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from auditor.code.model import EntryPoint
from auditor.code.source.program import Program
from auditor.code.syntax.facts import Module

ROUTES = re.compile(
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
_LISTS_FILES = (b"readdir", b"glob(", b"globSync(", b"fast-glob")
_LOADS_COMPUTED = re.compile(rb"\b(?:require|import)\s*\(\s*(?:[^'\"\s)]|['\"][^'\"]*['\"]\s*\+)")
"""`require(path)`: what is listed may be code that is then loaded."""
_LOADS_FOLDERS = (b"autoload", b"autoLoad", b"AutoLoad", b"requireAll", b"require-all", b"import.meta.glob")
_LOADS_OWN = re.compile(
    rb"\b(?!read(?:File|link|dir))(?:require|import|load|read|register)\w*(?:<[^;()]*>)?\(\s*(?:path\.(?:join|resolve)\(\s*)?"
    rb"(?:__dirname|import\.meta\.dirname)\b(?!\s*,\s*['\"][^'\"]*\.\w+['\"]\s*\))",
    re.I,
)
"""A helper of the program, or a package's, that is handed the folder of the file itself, or one in it: no single file."""
_OWN_FOLDER = (b"__dirname", b".dirname")
_NAMED_FOLDER = re.compile(rb"(?:dirname|readdir\w*\(|glob\w*\(|\bdir:)[^)\n]{0,60}?['\"`]([\w./*-]+)")
_BARE_OWN = re.compile(rb"dirname\s*(?:\)|,\s*[A-Za-z_$])")
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


class Reachable:
    """Entry points with the files that each of them reaches; `candidates` are files that may be started by hand."""

    def __init__(self, program: Program, entry_points: Sequence[EntryPoint], candidates: Sequence[Module]) -> None:
        self.program = program
        self.entries = self._inside(entry_points)
        self.guessed: list[EntryPoint] = []
        self.known = bool(self.entries)
        self.reached: dict[str, set[str]] = {}
        """entry path -> files reached from it."""
        self.living: set[str] = set()
        self.loaded: set[str] = set()
        """Files whose folder is read as a whole: what they export is called by names that are computed."""
        self._targets: dict[str, list[str]] = {}
        if self.known:
            self.guessed = [self._guess(module) for module in candidates if self._is_program(module)] + list(
                self._apps(candidates)
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
            relative = tree.relative(tree.real(absolute))
            if relative in tree.inside:
                found.append(replace(entry, path=relative))
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
        return [p for p in self.program.tree.paths if p.startswith(lead) and ROUTES.search(p[len(lead) :])]

    def _apps(self, candidates: Sequence[Module]) -> Iterator[EntryPoint]:
        """An entry point for each framework's app that no known one starts, where it or what it holds may matter: `next start`
        names no file."""
        paths = dict.fromkeys([*(entry.path for entry in self.entries), *(module.path for module in candidates)])
        homes = {home: "" for path in paths if (home := self._framework_home(path)) is not None}
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
        return imports or bool(ROUTES.search(entry.path.removeprefix(lead)))

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
        found = list(self.program.graph.real_imports(path))
        if any(word in data for word in _STARTS_FILES):
            for text in _PATH_STRING.findall(data):
                spec = text.decode("utf-8", "replace")
                target = self.program.target(path, spec if spec.startswith(".") else f"./{spec}")
                if target is not None:
                    found.append(target)
        for folder in self._folders(path, data) if _loads_folder(data) else ():
            beneath = [p for p in self.program.tree.paths if p.startswith(folder + "/")]
            self.loaded.update(beneath)
            found += beneath
        return found

    def _folders(self, path: str, data: bytes) -> list[str]:
        """The folders that a file loads: those that it names beside its own, else its own; never the whole repository."""
        own = posixpath.dirname(path)
        named = [text.decode("utf-8", "replace").split("*")[0].lstrip("/") for text in _NAMED_FOLDER.findall(data)]
        inside = {posixpath.normpath(posixpath.join(own, text)) for text in named}
        found = [
            folder for folder in sorted(inside) if any(p.startswith(folder + "/") for p in self.program.tree.paths)
        ]
        return found if found and not _BARE_OWN.search(data) else [own] if own else []

    def _is_program(self, module: Module) -> bool:
        """A file that exports nothing and that nobody imports: somebody starts it by hand, or it would not be there."""
        if module.exports or module.stars or module.path not in self.program.tree.inside:
            return False
        home = posixpath.dirname(module.path)
        if any(self._under(home, posixpath.dirname(entry.path)) for entry in self.entries):
            return False
        return not self.program.graph.importers(module.path) and any(call.scope.func is None for call in module.calls)

    @staticmethod
    def _under(folder: str, source: str) -> bool:
        """Whether a folder belongs to the sources of a known entry point, which would import what it needs."""
        return bool(source) and (folder == source or folder.startswith(source + "/"))

    def _guess(self, module: Module) -> EntryPoint:
        name = posixpath.splitext(posixpath.basename(module.path))[0]
        return EntryPoint(name, module.path, 0, "nothing imports it and it exports nothing: started by hand")


def _loads_folder(data: bytes) -> bool:
    """Whether a file loads the files of its folder, by names that it computes."""
    if any(word in data for word in _LOADS_FOLDERS):
        return True
    if any(word in data for word in _LISTS_FILES) and _LOADS_COMPUTED.search(data):
        return True
    return any(word in data for word in _OWN_FOLDER) and _LOADS_OWN.search(data) is not None
