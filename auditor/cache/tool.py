"""Which tool it is that concluded: its own source, the Python that runs it, and the parsers that it reads files with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path

import auditor
from auditor import plugins

_PARSERS = ("tree_sitter", "tree_sitter_javascript", "tree_sitter_typescript", "yaml", "promql_parser")


@lru_cache(maxsize=1)
def identity() -> str:
    """A digest that changes with any line of tt-audit's own code and catalogue, with Python, and with the parsers."""
    found = blake2b(repr((auditor.__version__, sys.version, sys.platform)).encode(), digest_size=20)
    for name, data in _sources():
        found.update(f"{name}\0{len(data)}\0".encode() + data)
    for parser in _PARSERS:
        found.update(f"{parser}\0{_installed(parser)}\0".encode())
    return found.hexdigest()


def _sources() -> Iterator[tuple[str, bytes]]:
    home = Path(__file__).resolve().parent.parent
    folders = [
        home,
        *(home / name for name in ("cache", "code", "infra", "prom")),
        plugins.folder("checks") / "catalogue",
    ]
    for top in folders:
        for folder, inner, names in os.walk(top):
            inner[:] = sorted(inner) if top != home else []
            for name in sorted(names):
                if name.endswith((".py", ".yaml")):
                    path = Path(folder) / name
                    yield path.relative_to(top.parent).as_posix(), path.read_bytes()


def _installed(package: str) -> str:
    """The files of an installed package with sizes and times, as an installation leaves them; its module is not loaded."""
    for place in sys.path:
        folder = Path(place or ".") / package
        if folder.is_dir():
            files = sorted(os.scandir(folder), key=lambda entry: entry.name)
            states = [(file.name, file.stat()) for file in files if file.is_file()]
            return repr([(str(folder), *((name, state.st_size, state.st_mtime_ns) for name, state in states))])
    return ""
