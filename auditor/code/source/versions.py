"""Versions of npm packages by the lockfile or package.json that governs a file."""

from __future__ import annotations

import posixpath
import re

from auditor.code.source.packages import Packages, inside
from auditor.model import SkippedFile
from auditor.opening import NotRead

_FIELDS = ("dependencies", "peerDependencies", "optionalDependencies", "devDependencies")
_RANGE = re.compile(r"\d+(?:\.\d+)*(?:-[\w.]+)?")
_LARGEST = 100_000_000
"""Bytes of a lockfile."""
_WORKSPACE = re.compile(r"^(?:workspace|catalog|link|file|portal):")


class Versions:
    """Looks versions up once per package and folder."""

    def __init__(self, packages: Packages) -> None:
        self.packages = packages
        self.tree = packages.tree
        self._known: dict[tuple[str, str], str] = {}
        self._locks: dict[str, str] = {}

    def of(self, package: str, path: str) -> str:
        """Version of `package` for the code in `path`: locked, else the range as written; empty when unknown."""
        home = self.packages.governing(path)
        key = (package, home if home is not None else "?")
        if key not in self._known:
            self._known[key] = self._find(package, path)
        return self._known[key]

    def _find(self, package: str, path: str) -> str:
        declared = ""
        for folder in self.tree.up(path):
            if not declared:
                declared = self._declared(folder, package)
            locked = self._locked(folder, package, posixpath.dirname(path))
            if locked:
                return locked
            if declared and self.tree.is_file(inside(folder, "package-lock.json")):
                break
        return "" if _WORKSPACE.match(declared) else declared

    def _declared(self, folder: str, package: str) -> str:
        manifest = self.packages.manifest(folder)
        for field in _FIELDS:
            table = manifest.get(field)
            if isinstance(table, dict) and isinstance(table.get(package), str):
                return str(table[package])
        return ""

    def _locked(self, folder: str, package: str, home: str) -> str:
        lock = inside(folder, "package-lock.json")
        if self.tree.is_file(lock):
            return self._from_npm(lock, package)
        for name, pattern in (
            ("pnpm-lock.yaml", r"^\s+'?/?{0}(?:@|/)(\d[\w.\-]*)"),
            ("yarn.lock", r'^"?{0}@[^\n]*:\n\s+version:?\s+"?(\d[\w.\-]*)'),
            ("bun.lock", r'"{0}": \["{0}@(\d[\w.\-]*)'),
        ):
            path = inside(folder, name)
            if self.tree.is_file(path):
                found = re.findall(pattern.format(re.escape(package)), self._text(path), re.M)
                return str(found[0]) if len(set(found)) == 1 else self._matching(found, folder, package, home)
        return ""

    def _matching(self, found: list[str], folder: str, package: str, home: str) -> str:
        """Of several locked versions, the one whose major the governing package.json asks for."""
        declared = next(
            (d for up in self.tree.up(f"{home}/x") if (d := self._declared(up, package))), ""
        ) or self._declared(folder, package)
        wanted = _RANGE.search(declared)
        for version in found:
            if wanted is not None and version.split(".")[0] == wanted.group().split(".")[0]:
                return version
        return found[0] if found else ""

    def _from_npm(self, lock: str, package: str) -> str:
        text = self._text(lock)
        match = re.search(rf'"node_modules/{re.escape(package)}": \{{\s*"version": "([^"]+)"', text)
        if match is None:
            match = re.search(rf'"{re.escape(package)}": \{{\s*"version": "([^"]+)"', text)
        return match.group(1) if match is not None else ""

    def _text(self, path: str) -> str:
        if path not in self._locks:
            try:
                self._locks[path] = self.tree.raw(path, _LARGEST).decode("utf-8", "replace")
            except NotRead as error:
                self._locks[path] = ""
                self.tree.skipped.append(SkippedFile(path, str(error)))
        return self._locks[path]


def major(version: str) -> int | None:
    """Major of a version or range; None where it has none."""
    match = _RANGE.search(version)
    return int(match.group().split(".")[0]) if match is not None else None
