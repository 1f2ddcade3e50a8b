"""Paths as a reader of the report knows them: relative to the `--code` folder that they came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

from auditor.code.model import CodeModel
from auditor.code.source.files import SourceTree
from auditor.model import CodeSpan

T = TypeVar("T")


def relocated(model: CodeModel, tree: SourceTree) -> CodeModel:
    """The model with every path relative to its root; sites outside of the roots, though followed, are left out."""
    roots = sorted((tree.relative(root) for root in tree.roots), key=len, reverse=True)
    if roots == ["."]:
        return model
    moved: dict[str, str] = {}

    def move(path: str) -> str:
        if path not in moved:
            home = next((root for root in roots if path == root or path.startswith(root + "/")), roots[0])
            moved[path] = os.path.relpath(path, home) if home != "." else path
        return moved[path]

    def inside(span: CodeSpan) -> bool:
        return span.path in tree.inside

    kept = replace(
        model,
        queues=tuple(site for site in model.queues if inside(site.span)),
        producers=tuple(site for site in model.producers if inside(site.span)),
        workers=tuple(site for site in model.workers if inside(site.span)),
        gaps=tuple(replace(gap, path=move(gap.path)) if gap.path else gap for gap in model.gaps),
    )
    return _moved(kept, move)


def _moved(value: T, move: object) -> T:
    assert callable(move)
    if isinstance(value, CodeSpan):
        return replace(value, path=move(value.path))
    if isinstance(value, tuple):
        return tuple(_moved(item, move) for item in value)  # type: ignore[return-value]  # a tuple of the same kind
    if isinstance(value, Mapping):
        return {key: _moved(item, move) for key, item in value.items()}  # type: ignore[return-value]  # a mapping of the same kind
    if is_dataclass(value) and not isinstance(value, type):
        changes = {}
        for one in fields(value):
            before = getattr(value, one.name)
            if isinstance(before, tuple | Mapping) or is_dataclass(before):
                after = _moved(before, move)
                if after is not before:
                    changes[one.name] = after
        return replace(value, **changes) if changes else value
    return value
