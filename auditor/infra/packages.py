"""package.json files of a tree: their scripts with lines, workspace packages by name, and how scripts are called."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from auditor.infra.tree import Tree, join

Scripts = dict[str, tuple[str, int]]
"""Name to (command line, line in the file)."""


@dataclass(slots=True)
class Packages:
    """The packages of one tree."""

    tree: Tree
    _scripts: dict[str, Scripts] = field(default_factory=dict)
    _by_name: dict[str, str] | None = None
    _folders: list[str] | None = None

    def scripts(self, folder: str) -> Scripts:
        """Scripts of a folder's package.json with their lines."""
        if folder not in self._scripts:
            self._scripts[folder] = read_scripts(self.tree.text(join(folder, "package.json")))
        return self._scripts[folder]

    def folders(self) -> list[str]:
        """Folders that have a package.json."""
        if self._folders is None:
            self._folders = [p.rpartition("/")[0] for p in self.tree.named("package.json")]
        return self._folders

    def folder(self, name: str) -> str | None:
        """Folder of a workspace package by its name, its unscoped name or its path."""
        known = self.names()
        clean = name.strip("./")
        if clean in known.values():
            return clean
        return known.get(name) or next((f for n, f in known.items() if n.endswith(f"/{clean}")), None)

    def names(self) -> dict[str, str]:
        """Folders by the names of their packages."""
        if self._by_name is None:
            self._by_name = {}
            for folder in self.folders():
                match = re.search(r'"name"\s*:\s*"([^"]+)"', self.tree.text(join(folder, "package.json")))
                if match:
                    self._by_name.setdefault(match[1], folder)
        return self._by_name


@dataclass(frozen=True, slots=True)
class Call:
    """A call of npm, yarn, pnpm or bun: the script or sub-command, and where."""

    name: str
    workspaces: tuple[str, ...]
    folder: str


def read_call(words: list[str]) -> Call:
    """What `npm run -w @x/y worker -- --flag` and its kin call; the name is empty where nothing is."""
    workspaces: list[str] = []
    folder = name = ""
    rest = list(words[1:])
    while rest:
        word = rest.pop(0)
        key, _, value = word.partition("=")
        if word == "--":
            break
        if key in ("-w", "--workspace", "--filter", "-F") or (word == "workspace" and words[0] == "yarn"):
            workspaces.append(value or (rest.pop(0) if rest else ""))
        elif key in ("--prefix", "-C", "--dir", "--cwd"):
            folder = value or (rest.pop(0) if rest else "")
        elif not word.startswith("-") and not name and word not in ("run", "run-script"):
            name = word
    return Call(name, tuple(w for w in workspaces if w), folder)


def read_scripts(text: str) -> Scripts:
    """`scripts` of a package.json's text; empty for what is no package.json."""
    try:
        scripts = json.loads(text).get("scripts", {}) if text else {}
    except (ValueError, AttributeError, RecursionError):
        return {}
    found: Scripts = {}
    for name, command in scripts.items() if isinstance(scripts, dict) else ():
        if isinstance(command, str):
            at = re.search(rf'"{re.escape(name)}"\s*:\s*"', text)
            found[name] = (command, text.count("\n", 0, at.start()) + 1 if at else 0)
    return found
