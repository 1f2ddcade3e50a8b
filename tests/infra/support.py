"""Small trees on disk, and what is collected of them."""

from __future__ import annotations

import textwrap
from pathlib import Path

from auditor.infra.collect import collect
from auditor.infra.model import Deployment, InfraModel, RedisUnit


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write files (dedented) below a folder and return it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return root


def infra(root: Path, files: dict[str, str]) -> InfraModel:
    """What is collected of a tree of such files."""
    return collect([tree(root, files)])


def unit(model: InfraModel, name: str) -> Deployment:
    """The one deployment of that name."""
    (found,) = [d for d in model.deployments if d.name == name]
    return found


def redis(model: InfraModel, name: str = "redis") -> RedisUnit:
    """The one Redis of that name."""
    (found,) = [u for u in model.redis if u.name == name]
    return found


def line(text: str, part: str) -> int:
    """Line of the first occurrence, in a text as `tree` writes it."""
    clean = textwrap.dedent(text).lstrip("\n")
    return clean[: clean.index(part)].count("\n") + 1
