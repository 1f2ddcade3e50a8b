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
from auditor.infra.tree import open_tree

_SEEDS = ("package.json", "pnpm-workspace.yaml", "lerna.json", "turbo.json", "nx.json")


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
    with _without_collecting():
        return _merged([Collector(open_tree(root, exclude), deadline).run() for root in roots])


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


def entry_points_above(code_root: Path) -> tuple[EntryPoint, ...]:
    """The source files that infra files in and above `code_root`, up to the repository's root, start."""
    with _without_collecting():
        return Collector(open_tree(repository_root(code_root)), None, starts_only=True).run().entry_points


def repository_root(path: Path) -> Path:
    """The folder with `.git` at or above `path`; else the topmost folder with a workspace's files; else `path` itself."""
    here = path.resolve() if path.is_dir() else path.resolve().parent
    above = [here, *here.parents]
    for folder in above:
        if (folder / ".git").exists():
            return folder
    home = Path.home().resolve()
    marked = [
        f
        for f in above
        if f != home
        and len(f.parts) > 1
        and any((f / s).is_file() for s in (*_SEEDS, "docker-compose.yml", "compose.yml"))
    ]
    return marked[-1] if marked else here


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
