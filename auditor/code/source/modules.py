"""From an import specifier to the file that it means, as TypeScript, Node and the workspace's package manager see it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from auditor.code.source.files import SourceTree
from auditor.code.source.packages import Packages, inside

_EXTENSIONS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".d.ts", ".json")
_SWAPPED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}
_CONFIGS = ("tsconfig.json", "jsconfig.json", "tsconfig.base.json")
_PACKAGE = re.compile(r"^(@[^/]+/[^/]+|[^/@][^/]*)(?:/(.*))?$")
_CODE = re.compile(r"\.(?:[cm]?[jt]sx?|json)$")


class Resolver:
    """Resolves specifiers; every answer is kept, since the same few hundred are asked thousands of times."""

    def __init__(self, tree: SourceTree, packages: Packages) -> None:
        self.tree = tree
        self.packages = packages
        self._known: dict[tuple[str, str], str | None] = {}
        self._contexts: dict[str, str] = {}
        self._files: dict[str, str | None] = {}
        self._configs: dict[str, list[_Paths]] = {}
        self._one = lru_cache(maxsize=None)(self._read_config)

    def resolve(self, importer: str, spec: str) -> str | None:
        """The file that `spec` means in `importer`; None for an npm package, a builtin, or what is not there.

        Relative ones depend on the folder; others on the package and tsconfig that govern it, so each is looked up once.
        """
        folder = importer[: importer.rfind("/")] if "/" in importer else ""
        if spec.startswith("."):
            key = (folder, spec)
        else:
            context = self._contexts.get(folder)
            if context is None:
                context = self._contexts[folder] = self._context(importer)
            key = (context, spec)
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._resolve(importer, folder, spec)
            return found

    def _context(self, importer: str) -> str:
        configs = ",".join(str(id(paths)) for paths in self._tsconfigs(importer))
        return f"{self.packages.governing(importer)}|{configs}"

    def _resolve(self, importer: str, folder: str, spec: str) -> str | None:
        spec = spec.split("?", maxsplit=1)[0]
        if not spec or spec.startswith("node:"):
            return None
        if spec.startswith("."):
            return self.file(_normal(f"{folder}/{spec}" if folder else spec))
        if spec.startswith("/"):
            home = self.packages.governing(importer) or ""
            return self.file(_normal(inside(home, spec[1:])))
        for candidate in self._candidates(importer, spec):
            found = self.file(candidate)
            if found is not None:
                return found
        return None

    def _candidates(self, importer: str, spec: str) -> Iterator[str]:
        for paths in self._tsconfigs(importer):
            yield from paths.candidates(spec)
        home = self.packages.governing(importer)
        if home is not None:
            yield from self._aliases(home, spec)
        match = _PACKAGE.match(spec)
        if match is not None:
            owned = self.packages.folder_of(match.group(1))
            if owned is not None:
                yield from self.packages.entries(owned, match.group(2) or "")
        if home is not None and spec[:2] in ("@/", "~/"):
            yield from (inside(home, f"src/{spec[2:]}"), inside(home, spec[2:]), inside(home, f"app/{spec[2:]}"))
        if home is not None and spec.startswith(("src/", "app/", "lib/", "apps/", "libs/")):
            yield inside(home, spec)

    def _aliases(self, home: str, spec: str) -> Iterator[str]:
        """`imports` and `_moduleAliases` of the governing package.json."""
        manifest = self.packages.manifest(home)
        for field in ("imports", "_moduleAliases"):
            table = manifest.get(field)
            if not isinstance(table, dict):
                continue
            for name, target in table.items():
                for text in _targets(target):
                    before, star, after = str(name).partition("*")
                    if star and spec.startswith(before) and spec.endswith(after):
                        yield inside(home, text.replace("*", spec[len(before) : len(spec) - len(after)]))
                    elif spec == name or (field != "imports" and spec.startswith(f"{name}/")):
                        yield inside(home, text + spec[len(str(name)) :])

    def file(self, path: str) -> str | None:
        """The file that a path without certain extension means."""
        if path in self._files:
            return self._files[path]
        self._files[path] = None  # packages whose entries are each other
        found = self._files[path] = self._file(_normal(path))
        return found

    def _file(self, path: str) -> str | None:
        if path.startswith("../"):
            return None
        tree = self.tree
        if _CODE.search(path):
            if tree.is_file(path):
                return path
            stem, extension = posixpath.splitext(path)
            for other in _SWAPPED.get(extension, ()):
                if tree.is_file(stem + other):
                    return stem + other
        for extension in _EXTENSIONS:
            if tree.is_file(path + extension):
                return path + extension
        for extension in _EXTENSIONS:
            index = inside(path, f"index{extension}")
            if tree.is_file(index):
                return index
        if tree.is_file(inside(path, "package.json")):
            for entry in self.packages.entries(path, ""):
                if entry != path and (found := self.file(entry)) is not None:
                    return found
        return None

    def _tsconfigs(self, importer: str) -> list[_Paths]:
        folder = posixpath.dirname(importer)
        if folder not in self._configs:
            found: list[_Paths] = []
            for up in self.tree.up(importer):
                for name in _CONFIGS:
                    path = inside(up, name)
                    if self.tree.is_file(path):
                        found.extend(self._one(path))
            self._configs[folder] = found
        return self._configs[folder]

    def _read_config(self, path: str, depth: int = 0) -> tuple[_Paths, ...]:
        data = self.tree.json(path)
        if not isinstance(data, dict) or depth > 5:
            return ()
        folder = posixpath.dirname(path)
        options = data.get("compilerOptions")
        own: list[_Paths] = []
        if isinstance(options, dict) and ("paths" in options or "baseUrl" in options):
            base, paths = options.get("baseUrl"), options.get("paths")
            own.append(
                _Paths(
                    _normal(inside(folder, base)) if isinstance(base, str) else folder,
                    isinstance(base, str),
                    paths if isinstance(paths, dict) else {},
                )
            )
        for reference in _targets(data.get("extends")):
            target = self._extended(folder, reference)
            if target is not None:
                own.extend(self._read_config(target, depth + 1))
        references = data.get("references")
        for reference in references if isinstance(references, list) else ():
            inner = reference.get("path") if isinstance(reference, dict) else None
            if isinstance(inner, str):
                at = _normal(inside(folder, inner))
                at = at if at.endswith(".json") else inside(at, "tsconfig.json")
                if self.tree.is_file(at) and posixpath.dirname(at) == folder:
                    own.extend(self._read_config(at, depth + 1))
        return tuple(own)

    def _extended(self, folder: str, reference: str) -> str | None:
        if reference.startswith("."):
            base = _normal(inside(folder, reference))
            return next(
                (p for p in (base, f"{base}.json", inside(base, "tsconfig.json")) if self.tree.is_file(p)), None
            )
        match = _PACKAGE.match(reference)
        owned = self.packages.folder_of(match.group(1)) if match else None
        if match is None or owned is None:
            return None
        base = inside(owned, match.group(2) or "tsconfig.json")
        return next((p for p in (base, f"{base}.json") if self.tree.is_file(p)), None)


class _Paths:
    """`baseUrl` and `paths` of one tsconfig; folders are relative to the repository."""

    __slots__ = ("base", "exact", "has_base", "patterns")

    def __init__(self, base: str, has_base: bool, paths: Mapping[str, object]) -> None:
        self.base = base
        self.has_base = has_base
        self.exact: dict[str, list[str]] = {}
        self.patterns: list[tuple[str, str, list[str]]] = []
        for name, targets in paths.items():
            before, star, after = name.partition("*")
            if star:
                self.patterns.append((before, after, list(_targets(targets))))
            else:
                self.exact[name] = list(_targets(targets))
        self.patterns.sort(key=lambda item: -len(item[0]))

    def candidates(self, spec: str) -> Iterator[str]:
        for target in self.exact.get(spec, ()):
            yield inside(self.base, target)
        for before, after, targets in self.patterns:
            if spec.startswith(before) and spec.endswith(after) and (before or after or len(targets)):
                middle = spec[len(before) : len(spec) - len(after)]
                for target in targets:
                    yield inside(self.base, target.replace("*", middle))
        if self.has_base:
            yield inside(self.base, spec)


def _targets(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _targets(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _targets(item)


def _normal(path: str) -> str:
    path = posixpath.normpath(path)
    return "" if path == "." else path
