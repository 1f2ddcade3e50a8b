"""The packages of a repository: which package.json governs a file, workspace packages by name, and their entry files."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from auditor.code.source.files import SourceTree

_GLOB = re.compile(r"^\s*-\s*['\"]?([^'\"#\s]+)", re.M)


class Packages:
    """Package manifests, read when asked for."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self._folders: dict[str, str] | None = None
        self._governing: dict[str, str | None] = {}

    def governing(self, path: str) -> str | None:
        """Folder of the nearest package.json above a file; None where there is none."""
        folder = path.rpartition("/")[0]
        if folder not in self._governing:
            self._governing[folder] = next(
                (up for up in self.tree.up(path) if self.tree.is_file(_in(up, "package.json"))), None
            )
        return self._governing[folder]

    def manifest(self, folder: str) -> Mapping[str, object]:
        """The package.json of a folder, empty where there is none."""
        data = self.tree.json(_in(folder, "package.json"))
        return data if isinstance(data, dict) else {}

    def declared(self, folder: str, *tables: str) -> frozenset[str]:
        """Names of npm packages in these tables of a folder's package.json; a table that is none holds nothing."""
        manifest = self.manifest(folder)
        return frozenset(name for table in tables if isinstance(held := manifest.get(table), dict) for name in held)

    def folder_of(self, name: str) -> str | None:
        """Folder of the workspace package called `name`."""
        if self._folders is None:
            self._folders = {}
            for folder in self._workspace_folders():
                named = self.manifest(folder).get("name")
                if isinstance(named, str):
                    self._folders.setdefault(named, folder)
        return self._folders.get(name)

    def names(self) -> list[str]:
        """Names of the workspace packages."""
        self.folder_of("")
        return list(self._folders or ())

    def entries(self, folder: str, subpath: str) -> Iterator[str]:
        """Paths, without certainty about their extension, that `import "name/subpath"` may mean; the likeliest first."""
        manifest = self.manifest(folder)
        exported = manifest.get("exports")
        key = f"./{subpath}" if subpath else "."
        for built in _exported(exported, key):
            yield from _sources(_in(folder, built))
        if subpath:
            yield from (_in(folder, subpath), _in(folder, f"src/{subpath}"))
            return
        for field in ("source", "module", "main", "types"):
            named = manifest.get(field)
            if isinstance(named, str):
                yield from _sources(_in(folder, named))
        yield from (_in(folder, "src/index"), _in(folder, "index"), _in(folder, "lib/index"), _in(folder, "src/main"))

    def _workspace_folders(self) -> list[str]:
        seen = dict.fromkeys(str(PurePosixPath(path).parent).removeprefix(".") for path in self.tree.manifests)
        for holder in _holders(self.tree):
            for pattern in self._globs(holder):
                for folder in self._expand(_in(holder, pattern.rstrip("/"))):
                    seen[folder] = None
        return list(seen)

    def _globs(self, folder: str) -> list[str]:
        spaces = self.manifest(folder).get("workspaces")
        if isinstance(spaces, dict):
            spaces = spaces.get("packages")
        found = [item for item in spaces if isinstance(item, str)] if isinstance(spaces, list) else []
        listed = _in(folder, "pnpm-workspace.yaml")
        if self.tree.is_file(listed):
            text = (self.tree.read(listed) or b"").decode("utf-8", "replace")
            found += _GLOB.findall(text)
        return [item.removeprefix("./") for item in found if not item.startswith("!")]

    def _expand(self, pattern: str) -> Iterator[str]:
        folders = [""]
        for part in pattern.split("/"):
            following: list[str] = []
            for folder in folders:
                if "*" not in part:
                    following.append(_in(folder, part))
                else:
                    depth = 3 if part == "**" else 1
                    following.extend(self._below(folder, "*" if part == "**" else part, depth))
            folders = following
        for folder in folders:
            if self.tree.is_file(_in(folder, "package.json")):
                yield folder

    def _below(self, folder: str, pattern: str, depth: int) -> Iterator[str]:
        for name in self.tree.listdir(folder):
            if name.startswith(".") or name == "node_modules" or "." in name or not fnmatch.fnmatch(name, pattern):
                continue
            yield _in(folder, name)
            if depth > 1:
                yield from self._below(_in(folder, name), pattern, depth - 1)


def _holders(tree: SourceTree) -> list[str]:
    """Folders that may declare workspaces: those from the roots up to the top, and the manifests beneath."""
    found: dict[str, None] = {"": None}
    for root in tree.roots:
        inside = tree.relative(root)
        for folder in tree.up(f"{inside}/x"):
            found["" if folder == "." else folder] = None
    for path in tree.manifests:
        found[str(PurePosixPath(path).parent).removeprefix(".")] = None
    return list(found)


def _exported(exported: object, key: str) -> Iterator[str]:
    if isinstance(exported, str):
        if key == ".":
            yield exported
    elif isinstance(exported, dict):
        if not any(str(name).startswith(".") for name in exported):
            yield from (_strings(exported) if key == "." else ())
            return
        for name, target in exported.items():
            if name == key:
                yield from _strings(target)
            elif "*" in name:
                before, _, after = name.partition("*")
                if key.startswith(before) and key.endswith(after):
                    middle = key[len(before) : len(key) - len(after)]
                    yield from (text.replace("*", middle) for text in _strings(target))


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


_BUILT = re.compile(r"(^|/)(dist|build|lib|out|esm|cjs|es)/")


def _sources(path: str) -> Iterator[str]:
    """A manifest names what a build makes: try the source that it is made from first."""
    path = str(PurePosixPath(path))
    stem = re.sub(r"(\.d)?\.[cm]?[jt]sx?$", "", path)
    if _BUILT.search(stem):
        yield _BUILT.sub(r"\1src/", stem, count=1)
        yield _BUILT.sub(r"\1", stem, count=1)
    yield path
    yield stem


def _in(folder: str, name: str) -> str:
    joined = f"{folder}/{name}" if folder else name
    return str(PurePosixPath(joined)) if "./" in joined or joined.endswith("/") else joined


inside = _in
