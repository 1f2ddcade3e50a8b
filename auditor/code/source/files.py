"""Which files of a repository are code, and their bytes: read once, skipped with a reason.

A tree is rooted at the repository that holds the `--code` folders; only the folders themselves are listed, and files
outside are read when an import leads there.
"""

from __future__ import annotations

import codecs
import fnmatch
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path

from auditor import repository
from auditor.code.source.gitignore import Ignore
from auditor.model import SkippedFile
from auditor.opening import Disk, Inside, NotRead

CODE = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_LISTED = (*CODE, "package.json")
_ASKED_FOR = (*CODE, ".json", ".yaml", ".lock")
"""Endings of files that an import, a package or a version may be looked for in."""
LARGEST = 1_000_000
"""Bytes; what is longer is a bundle or generated."""
LARGEST_MADE = 200_000
"""The same of what lies in a folder of generated, compiled or copied code, which only an import leads to."""
_STRAY, _MOST_STRAY = 50, 8
"""One NUL byte in so many, and no more, makes no binary: a separator in a string is written so now and then."""

_SKIPPED_FOLDERS = frozenset(
    [
        "node_modules",
        "bower_components",
        "jspm_packages",
        ".git",
        ".hg",
        ".svn",
        "dist",
        "build",
        "coverage",
        ".next",
        ".nuxt",
        ".turbo",
        ".cache",
        ".output",
        ".vercel",
        ".serverless",
        ".yarn",
        ".pnpm-store",
        "generated",
        "__generated__",
        "vendor",
        "out",
        "storybook-static",
    ]
)
_TEST_FOLDERS = frozenset(["test", "tests", "e2e", "cypress", "spec", "specs", "testing"])
_TESTED = (
    "unit|int|it|i|integration|e2e|server|client|api|node|browser|dom|ui|component|db|func|functional|system|smoke|load|perf|"
    "performance|stress|contract|acceptance|property"
)
"""Kinds of tests, as names of files and folders say them: `a.servertest.ts`, `a.int-spec.ts`, `load-tests/`."""
_TEST_FILE = re.compile(
    rf"(?:[.\-_](?:test|tests|spec|e2e|e2e-spec|stories|mock)|\.(?:{_TESTED})[\-_]?(?:test|spec)s?)\.[cm]?[jt]sx?$"
)
_TEST_FOLDER = re.compile(rf"__(?:tests?|specs?|mocks?|fixtures?|e2e)__|(?:{_TESTED})[\-_](?:test|spec)s?|[\w\-]+-e2e")
_BUNDLE = re.compile(r"\.(?:min|bundle|chunk)\.[cm]?js$|\.d\.[cm]?ts$")
_MARKERS = (
    "pnpm-workspace.yaml",
    "lerna.json",
    "turbo.json",
    "nx.json",
    "rush.json",
    "tsconfig.base.json",
    "package.json",
)
_UP = 6


def repository_root(folder: Path) -> Path:
    """The repository that holds `folder`: by `.git`, else the topmost near ancestor with a workspace's marks."""
    top = folder
    for depth, ancestor in enumerate((folder, *folder.parents)):
        if (ancestor / ".git").exists():
            return ancestor
        if depth <= _UP and len(ancestor.parts) > 2 and any((ancestor / marker).is_file() for marker in _MARKERS):
            top = ancestor
    return top


def top_of(roots: Sequence[Path]) -> Path:
    """The folder to which a tree's paths are relative: it holds the repositories of all roots."""
    return Path(os.path.commonpath([str(repository_root(root.resolve())) for root in roots]))


def listed(root: Path) -> list[str]:
    """Code files and package.json files beneath a folder, relative to it, of those that git tracks or would add, else of a walk's."""
    by_git = repository.files(root)
    names = by_git if by_git is not None else _walk(root)
    return [name for name in names if name.endswith(_LISTED)]


class SourceTree:
    """The code files beneath the roots, by path relative to the repository, and whatever else is asked for by path."""

    def __init__(self, roots: Sequence[Path], exclude: Sequence[str] = (), disk: Disk | None = None) -> None:
        self.disk = disk or Disk()
        self.roots = [root.resolve() for root in roots]
        self.top = top_of(roots)
        self.exclude = tuple(exclude)
        self.skipped: list[SkippedFile] = []
        self.paths: list[str] = []
        self.inside: set[str] = set()
        self.manifests: list[str] = []
        """`package.json` files seen beneath the roots."""
        self._bytes: dict[str, bytes | None] = {}
        self._is_file: dict[str, bool] = {}
        self._names: dict[str, frozenset[str]] = {}
        self._json: dict[str, object] = {}
        self._inside = Inside(str(self.top), "repository")
        for root in self.roots:
            self._list(root)

    def relative(self, path: Path) -> str:
        """`path` as this tree names it."""
        return Path(os.path.relpath(path, self.top)).as_posix()

    def is_file(self, path: str) -> bool:
        """Whether the repository holds this file, inside the roots or not."""
        known = self._is_file.get(path)
        if known is None:
            folder, _, name = path.rpartition("/")
            names = self._names.get(folder)
            if names is None:
                names = self._names[folder] = frozenset(self.disk.names(f"{self.top}/{folder}", *_ASKED_FOR))
            known = (
                (name in names or not name.endswith(_ASKED_FOR))
                and self.disk.is_file(f"{self.top}/{path}")
                and self.disk.holds(self._inside, path)
            )
            self._is_file[path] = known
        return known

    def read(self, path: str) -> bytes | None:
        """The file's bytes; None where it cannot be read or is too large, which is noted once."""
        if path in self._bytes:
            return self._bytes[path]
        data: bytes | None = None
        try:
            data = self._text(path)
        except NotRead as error:
            self._skip(path, str(error))
        self._bytes[path] = data
        return data

    def is_bulk(self, path: str) -> bool:
        """Whether a file is a large one that something made, which an import leads to: no code of the project, and dear to parse."""
        if path in self.inside or not _in_skipped_folder(path):
            return False
        return len(self.read(path) or b"") > LARGEST_MADE

    def raw(self, path: str, most: int) -> bytes:
        """The file's bytes as they are, not kept. Raises NotRead where it has more than `most`, or can't or mustn't be read."""
        return self.disk.content(self._inside, path, most)

    def real(self, path: Path) -> Path:
        """A path with all links followed."""
        return Path(self.disk.real(str(path)))

    def holds(self, path: str, words: Iterable[bytes]) -> bool:
        """Whether the file's bytes hold one of the words."""
        data = self._bytes[path] if path in self._bytes else self.read(path)
        if data is not None:
            for word in words:
                if word in data:
                    return True
        return False

    def _text(self, path: str) -> bytes:
        data = self.raw(path, LARGEST)
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return data.decode("utf-16", "replace").encode()
        stray = data.count(b"\0", 0, 4096)
        if stray > _MOST_STRAY or stray * _STRAY > len(data[:4096]):
            raise NotRead("binary")
        return data.removeprefix(codecs.BOM_UTF8)

    def json(self, path: str) -> object:
        """A JSON file, with comments and trailing commas allowed; None where there is none, or it is broken, which is noted."""
        if path not in self._json:
            data = self.read(path) if self.is_file(path) else None
            self._json[path] = None
            try:
                self._json[path] = _loose_json(data.decode("utf-8", "replace")) if data else None
            except NotRead as error:
                self._skip(path, str(error))
        return self._json[path]

    def listdir(self, path: str) -> list[str]:
        """Names in a folder of the repository; empty where there is none."""
        return self.disk.names(f"{self.top}/{path}")

    def up(self, path: str) -> Iterator[str]:
        """The folders that hold `path`, nearest first, to the top (``""``)."""
        folder = path.rpartition("/")[0]
        while folder:
            yield folder
            folder = folder.rpartition("/")[0]
        yield ""

    def _skip(self, path: str, why: str, *, meant: bool = False) -> None:
        self.skipped.append(SkippedFile(path, why, meant))

    def _list(self, root: Path) -> None:
        if root.is_file():
            self._take(self.relative(root))
            return
        prefix = self.relative(root)
        lead = "" if prefix == "." else prefix + "/"
        for name in self.disk.files(root, "code", listed):
            path = lead + name
            if name.endswith("package.json") and (name == "package.json" or name.endswith("/package.json")):
                if not _in_skipped_folder(name):
                    self.manifests.append(path)
            elif name.endswith(CODE):
                self._judge(path, name)
        present = self.inside
        compiled = [
            p for p in self.paths if p.endswith(".js") and (p[:-3] + ".ts" in present or p[:-3] + ".tsx" in present)
        ]
        for path in compiled:
            self._skip(path, "compiled from the .ts beside it", meant=True)
        gone = set(compiled)
        self.paths = [p for p in self.paths if p not in gone]
        self.inside -= gone

    def _judge(self, path: str, name: str) -> None:
        if _in_skipped_folder(name):
            return
        if _BUNDLE.search(name):
            return
        if is_test(name):
            self._skip(path, "test", meant=True)
        elif any(fnmatch.fnmatch(name, pattern) or fnmatch.fnmatch(path, pattern) for pattern in self.exclude):
            self._skip(path, "excluded", meant=True)
        else:
            self._take(path)

    def _take(self, path: str) -> None:
        if path not in self.inside:
            self.inside.add(path)
            self.paths.append(path)


def is_test(name: str) -> bool:
    """Whether a path is a test's: its code starts no worker."""
    parts = name.split("/")
    return bool(_TEST_FILE.search(parts[-1])) or any(
        part in _TEST_FOLDERS or _TEST_FOLDER.fullmatch(part) for part in parts[:-1]
    )


def _in_skipped_folder(name: str) -> bool:
    parts = name.split("/")[:-1]
    return any(
        part in _SKIPPED_FOLDERS and not (part == "build" and at and parts[at - 1] == "src")
        for at, part in enumerate(parts)
    )


def _walk(root: Path) -> Iterator[str]:
    """Code and package.json files beneath root that its .gitignore files allow; links that leave root or come back to a folder are not entered."""
    top, inside = root.stat(), Inside(str(root))
    seen: set[tuple[int, int]] = {(top.st_dev, top.st_ino)}
    pending: list[tuple[str, tuple[Ignore, ...]]] = [("", ())]
    while pending:
        folder, rules = pending.pop()
        try:
            entries = sorted(os.scandir(f"{root}/{folder}"), key=attrgetter("name"))
        except OSError:
            continue
        names = {entry.name for entry in entries}
        if ".gitignore" in names:
            rules = (*rules, Ignore.read(root / folder / ".gitignore", folder))
        lead = f"{folder}/" if folder else ""
        folders: list[tuple[str, tuple[Ignore, ...]]] = []
        for entry in entries:
            path = lead + entry.name
            try:
                is_folder = entry.is_dir()
            except OSError:  # a link to itself: it is listed, and found unreadable
                is_folder = False
            if is_folder:
                if entry.name in _SKIPPED_FOLDERS and not (entry.name == "build" and folder.endswith("src")):
                    continue
                if any(rule.ignores(path, True) for rule in rules) or not _first_visit(entry, seen):
                    continue
                if entry.is_symlink() and not inside.holds(path):
                    continue
                folders.append((path, rules))
            elif entry.name.endswith(_LISTED) and not any(rule.ignores(path, False) for rule in rules):
                yield path
        pending.extend(reversed(folders))


def _first_visit(entry: os.DirEntry[str], seen: set[tuple[int, int]]) -> bool:
    try:
        status = entry.stat()
    except OSError:
        return False
    key = (status.st_dev, status.st_ino)
    if key in seen:
        return False
    seen.add(key)
    return True


_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.S)
_TRAILING = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.S)


def _loose_json(text: str) -> object:
    """The value of a JSON text. Raises NotRead where it has none, or is nested deeper than anybody writes."""
    try:
        try:
            return json.loads(text)
        except ValueError:
            text = _COMMENT.sub(lambda m: m.group(1) or "", text)
            text = _TRAILING.sub(lambda m: m.group(1) or "", text)
            return json.loads(text, strict=False)
    except ValueError as error:
        raise NotRead("no valid JSON") from error
    except RecursionError as error:
        raise NotRead("nested too deep") from error


def matching(paths: Iterable[str], folder: str) -> list[str]:
    """Those paths that lie beneath `folder` (``""``: all)."""
    return [path for path in paths if not folder or path.startswith(folder + "/")]
