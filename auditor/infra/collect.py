"""Reads infra files: `collect` for a scan, `entry_points_above` for the code collector alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from auditor.errors import SourceError
from auditor.infra.model import EntryPoint, InfraModel


def collect(roots: Sequence[Path], *, exclude: Sequence[str] = (), deadline: float | None = None) -> InfraModel:
    """Everything that the infra files under `roots` show; `deadline` is in seconds of `time.monotonic()`.

    Raises SourceError for a path that does not exist. A file that cannot be read is skipped and listed with
    its reason in the tree's `files_skipped`.
    """
    for root in roots:
        if not root.exists():
            raise SourceError(
                f"no such file or folder: {root}", "give --infra the folder of the infra files, or --no-infra"
            )
    return InfraModel()


def entry_points_above(code_root: Path) -> tuple[EntryPoint, ...]:
    """The source files that infra files in and above `code_root`, up to the repository's root, start."""
    return ()


def repository_root(path: Path) -> Path:
    """The folder with `.git` at or above `path`; else the topmost folder with a workspace file; else `path` itself."""
    return path
