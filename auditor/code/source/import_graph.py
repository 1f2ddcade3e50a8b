"""Which file imports which, read off their text: no file is parsed for it."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from auditor.code.source.files import CODE, SourceTree
from auditor.code.source.modules import Resolver

_SPECIFIERS = (
    re.compile(rb"""from\s*['"]([^'"\n]+)['"]"""),
    re.compile(rb"""import\s*\(?\s*['"]([^'"\n]+)['"]"""),
    re.compile(rb"""(?:require(?:\.resolve)?|createRequire\([^()]*\))\(\s*['"]([^'"\n]+)['"]"""),
)
_REQUIRES = re.compile(rb"([\w$]+)\s*=\s*(?:\w+\.)?createRequire\(")
"""`const load = createRequire(import.meta.url)`: another name for require."""
_TEMPLATES = re.compile(rb"""(?:require|import)\(\s*`\$\{\s*\w+\s*\}/?([^`$\n]+)`""")
_WORDS = (b"from", b"import", b"equire")
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
_WHOLE = re.compile(rb"""^[ \t]*(?:export|import)\s*\*""", re.M)
"""A file that passes on all that another exports, or takes it as one object."""


def _patterns(data: bytes) -> Iterator[re.Pattern[bytes]]:
    for word, pattern in zip(_WORDS, _SPECIFIERS, strict=True):
        if word in data:
            yield pattern
    for name in _REQUIRES.findall(data) if b"createRequire" in data else ():
        if name != b"require":
            yield re.compile(rb"(?<![\w$.])" + re.escape(name) + rb"""\(\s*['"]([^'"\n]+)['"]""")


class ImportGraph:
    """The imports of one repository; questions from outside of the roots are answered too."""

    def __init__(self, tree: SourceTree, resolver: Resolver) -> None:
        self.tree = tree
        self.resolver = resolver
        self._imports: dict[str, tuple[str, ...]] = {}
        self._real: dict[str, tuple[str, ...]] = {}
        self._importers: dict[str, list[str]] | None = None
        self._around: dict[str, frozenset[str]] = {}
        self._same: dict[frozenset[str], frozenset[str]] = {}
        """Files that import each other have the same importers: thousands, kept once."""
        self._passing: dict[str, bool] = {}

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
        for pattern in _patterns(data):
            specs.update(dict.fromkeys(pattern.findall(data)))
        for spec in specs:
            target = self.resolver.resolve(path, spec.decode("utf-8", "replace"))
            if target is not None and target.endswith(CODE):
                yield target
        yield from self._templates(path, data)

    def real_imports(self, path: str) -> tuple[str, ...]:
        """Files that a file imports for their values: comments and `import type` are left out."""
        known = self._real.get(path)
        if known is None:
            known = self._real[path] = tuple(dict.fromkeys(self._real_targets(path)))
        return known

    def _real_targets(self, path: str) -> Iterator[str]:
        data = self.tree.read(path)
        if data is None:
            return
        if not any(word in data for word in _UNREAL):
            yield from self.imports(path)
            return
        for pattern in _patterns(data):
            for match in pattern.finditer(data):
                line = data[data.rfind(b"\n", 0, match.start()) + 1 : match.start() + 12].lstrip()
                if line.startswith((b"//", b"*", b"import type ", b"export type ")):
                    continue
                target = self.resolver.resolve(path, match.group(1).decode("utf-8", "replace"))
                if target is not None and target.endswith(CODE):
                    yield target
        yield from self._templates(path, data)

    def _templates(self, path: str, data: bytes) -> Iterator[str]:
        """Files that a path on the application's root names: `${appRoot}/jobs/x`."""
        if b"`${" in data and (b"require(" in data or b"import(" in data):
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
        known = self._around.get(path)
        if known is None:
            seen: set[str] = set()
            pending = [path]
            while pending:
                for source in self.importers(pending.pop()):
                    if source in seen:
                        continue
                    above = self._around.get(source)
                    if above is not None:
                        seen |= above
                        seen.add(source)
                    else:
                        seen.add(source)
                        pending.append(source)
            found = frozenset(seen)
            known = self._around[path] = self._same.setdefault(found, found)
        return known

    def naming(self, path: str, words: list[bytes]) -> set[str]:
        """Files that hold one of the words and that `path` reaches over files that hold one too, or pass on all they import."""
        found: set[str] = set()
        seen = {path}
        queue = deque([path])
        while queue:
            for source in self.importers(queue.popleft()):
                if source in seen:
                    continue
                seen.add(source)
                if self.tree.holds(source, words):
                    found.add(source)
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
