"""The files of one `--infra` folder: listed once, read at most once, each refusal remembered with its reason."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from auditor import repository
from auditor.model import SkippedFile, TreeTarget
from auditor.opening import Disk, Inside, NotRead

MAX_FILES = 200_000
MAX_BYTES = 5_000_000
_NEVER = {
    "node_modules",
    ".git",
    ".hg",
    ".svn",
    ".next",
    ".nuxt",
    "bower_components",
    "__pycache__",
    ".venv",
    "venv",
    ".terraform",
    ".yarn",
    ".pnpm-store",
    ".turbo",
    ".cache",
    "coverage",
}


_SEEDS = (
    "package.json",
    "pnpm-workspace.yaml",
    "lerna.json",
    "turbo.json",
    "nx.json",
    "docker-compose.yml",
    "compose.yml",
)


@dataclass(slots=True)
class Tree:
    """A folder with its files, by paths relative to it (POSIX style)."""

    root: Path
    files: tuple[str, ...]
    known: frozenset[str]
    disk: Disk = field(default_factory=Disk)
    skipped: dict[str, str] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    _folders: set[str] | None = None
    _named: dict[tuple[str, ...], list[str]] = field(default_factory=dict)
    _inside: Inside = field(init=False)

    def __post_init__(self) -> None:
        self._inside = Inside(str(self.root))

    def text(self, path: str) -> str:
        """A file's text; empty (and listed as skipped) where it is missing, binary, too large or outside the folder."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _read(self, path: str) -> str:
        if path not in self.known and not self.disk.is_file(f"{self.root}/{path}"):
            return ""
        try:
            data = self.data(path)
        except NotRead as error:
            self.skipped[path] = str(error)
            return ""
        if b"\0" in data[:4096]:
            self.skipped[path] = "binary"
            return ""
        return data.decode("utf-8", "replace").removeprefix("\ufeff")

    def data(self, path: str, most: int = MAX_BYTES, first: int | None = None) -> bytes:
        """A file's bytes, or its `first` ones. Raises NotRead where it has more than `most`, or can't or mustn't be read."""
        return self.disk.content(self._inside, path, most, first)

    def head(self, path: str, size: int = 65_536) -> str:
        """The beginning of a file, for a cheap look at what it is."""
        if path in self._texts:
            return self._texts[path][:size]
        try:
            return self.data(path, first=size).decode("utf-8", "replace").removeprefix("\ufeff")
        except NotRead as error:
            self.skipped[path] = str(error)
            return ""

    def named(self, *patterns: str) -> list[str]:
        """Files whose name matches any of the patterns, without regard to case."""
        if patterns not in self._named:
            wanted = re.compile("|".join(fnmatch.translate(p) for p in patterns))
            self._named[patterns] = [f for f in self.files if wanted.match(f.rpartition("/")[2].lower())]
        return self._named[patterns]

    def has_folder(self, path: str) -> bool:
        """Whether some file lies below it."""
        if self._folders is None:
            self._folders = {str(p) for f in self.files for p in PurePosixPath(f).parents}
        return path in self._folders

    def absolute(self, path: str) -> str:
        """The absolute path, POSIX style."""
        return Path(self.disk.real(str(self.root / path))).as_posix()

    def name(self) -> str:
        """Name of the folder."""
        return PurePosixPath(self.disk.real(str(self.root))).name

    def target(self) -> TreeTarget:
        """What the report says of it."""
        read = sum(1 for p in self._texts if p in self.known and p not in self.skipped)
        skipped = tuple(SkippedFile(p, why) for p, why in sorted(self.skipped.items()))
        return TreeTarget(str(self.root), files_read=read, files_skipped=skipped)


def repository_root(path: Path) -> Path:
    """The folder with `.git` at or above `path`; else the topmost folder with a workspace's files; else `path` itself."""
    here = path.resolve() if path.is_dir() else path.resolve().parent
    above = [here, *here.parents]
    for folder in above:
        if (folder / ".git").exists():
            return folder
    home = Path.home().resolve()
    marked = [f for f in above if f != home and len(f.parts) > 1 and any((f / s).is_file() for s in _SEEDS)]
    return marked[-1] if marked else here


def listed(root: Path) -> list[str]:
    """Files of a folder, relative to it: what git tracks or would add where there is a repository, else a walk."""
    by_git = repository.files(root)
    if by_git is None:
        return _walk(root)
    return [name for name in by_git if not _NEVER.intersection(name.split("/"))][:MAX_FILES]


def open_tree(root: Path, exclude: Sequence[str] = (), disk: Disk | None = None) -> Tree:
    """List a folder, or take a single file."""
    disk = disk or Disk()
    if root.is_file():
        return Tree(root.parent, (root.name,), frozenset((root.name,)), disk)
    files = disk.files(root, "infra", listed)
    kept = [f for f in files if not _excluded(f, exclude)]
    tree = Tree(root, tuple(sorted(kept)), frozenset(kept), disk)
    if len(files) >= MAX_FILES:
        tree.skipped["."] = f"more than {MAX_FILES:,} files: the rest was not looked at"
    return tree


def _excluded(path: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatch(path, p) or fnmatch.fnmatch(path, f"{p.rstrip('/')}/*") for p in patterns)


def _walk(root: Path) -> list[str]:
    found: list[str] = []
    top = len(str(root).rstrip("/")) + 1
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _NEVER)
        lead = f"{below}/" if (below := folder[top:]) else ""
        found += [lead + name for name in sorted(files)]
        if len(found) >= MAX_FILES:
            return found[:MAX_FILES]
    return found


def join(folder: str, path: str) -> str:
    """A path below a folder of the tree, with `.` and `..` worked out; never above the tree's root."""
    parts: list[str] = []
    for part in f"{folder}/{path}".split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
