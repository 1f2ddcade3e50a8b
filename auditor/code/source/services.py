"""Which service a file belongs to: by tt-audit.yaml, else by the package that governs it."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path

from auditor.code.model import ServiceConfig
from auditor.code.source.program import Program


class Services:
    """Names of services by file; empty names where there is only one."""

    def __init__(self, program: Program, configured: Sequence[ServiceConfig], paths: Sequence[str]) -> None:
        self.program = program
        tree = program.tree
        self.folders = [(tree.relative((Path.cwd() / service.code).resolve()), service.name) for service in configured]
        self.folders.sort(key=lambda item: -len(item[0]))
        self._names: dict[str, str] = {}
        found = dict.fromkeys(self._name(path) for path in paths)
        self.names = tuple(found) if len(found) > 1 else tuple(name for name in found if self.folders and name)

    def of(self, path: str) -> str:
        """The service of a file."""
        name = self._name(path)
        return name if name in self.names else ""

    def _name(self, path: str) -> str:
        for folder, name in self.folders:
            if folder in (".", path) or path.startswith(folder + "/"):
                return name
        home = self.program.packages.governing(path)
        if home is None:
            return ""
        if home not in self._names:
            named = self.program.packages.manifest(home).get("name")
            self._names[home] = (
                str(named).split("/")[-1] if isinstance(named, str) and named else posixpath.basename(home)
            )
        return self._names[home]
