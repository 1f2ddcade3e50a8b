"""Reads infra files: `collect` for a scan, `entry_points_above` for the code collector alone."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from auditor.code.model import EntryPoint
from auditor.errors import SourceError
from auditor.infra.collector import Collector
from auditor.infra.model import InfraModel
from auditor.infra.tree import open_tree, repository_root
from auditor.opening import Disk


def collect(
    roots: Sequence[Path], *, exclude: Sequence[str] = (), deadline: float | None = None, disk: Disk | None = None
) -> InfraModel:
    """Everything that the infra files under `roots` show; `deadline` is in seconds of `time.monotonic()`.

    Raises SourceError for a path that does not exist. A file that cannot be read is skipped and listed with
    its reason in the tree's `files_skipped`.
    """
    for root in roots:
        if not root.exists():
            raise SourceError(
                f"no such file or folder: {root}", "give --infra the folder of the infra files, or --no-infra"
            )
    with _without_collecting():
        return _merged([Collector(open_tree(root, exclude, disk), deadline).run() for root in roots])


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Keep the garbage collector from walking a million YAML nodes again and again: they hold no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def entry_points_above(code_root: Path, disk: Disk | None = None) -> tuple[EntryPoint, ...]:
    """The source files that infra files in and above `code_root`, up to the repository's root, start."""
    with _without_collecting():
        return Collector(open_tree(repository_root(code_root), disk=disk), None, starts_only=True).run().entry_points


def _merged(models: Sequence[InfraModel]) -> InfraModel:
    """One model of several trees."""
    if len(models) == 1:
        return models[0]
    merged = InfraModel()
    for model in models:
        merged = replace(
            merged,
            **{
                name: (*getattr(merged, name), *getattr(model, name))
                for name in InfraModel.__dataclass_fields__
                if name != "source"
            },
        )
    return merged
