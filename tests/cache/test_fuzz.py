"""Whatever happens to a tree, the answer from the cache is the fresh one."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor import sources
from auditor.code.model import CodeModel
from auditor.evidence import Store
from auditor.infra.model import InfraModel
from auditor.prom.model import Observability
from auditor.request import Request

HEALTHY = Path(__file__).parents[1] / "worlds/healthy"
Change = Callable[[random.Random, Path, list[Path]], object]


def flip(rnd: random.Random, path: Path, _: list[Path]) -> None:
    """One byte, with the size and the time of before."""
    data, times = bytearray(path.read_bytes() or b" "), path.stat()
    data[rnd.randrange(len(data))] = rnd.randrange(32, 127)
    path.write_bytes(data)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def link(rnd: random.Random, path: Path, all_: list[Path]) -> None:
    target = rnd.choice([*all_, Path("/etc/hosts")])
    path.unlink()
    path.symlink_to(target)


CHANGES: dict[str, Change] = {
    "nothing": lambda rnd, path, all_: None,
    "append": lambda rnd, path, all_: path.write_bytes(path.read_bytes() + b"\n// more\n"),
    "delete": lambda rnd, path, all_: path.unlink(),
    "flip": flip,
    "rename": lambda rnd, path, all_: path.rename(path.with_name(f"r{path.name}")),
    "copy": lambda rnd, path, all_: shutil.copy(path, path.with_name(f"{rnd.choice('az')}{path.name}")),
    "cut": lambda rnd, path, all_: path.write_bytes(path.read_bytes()[: rnd.randrange(50)]),
    "link": link,
    "ignore": lambda rnd, path, all_: (path.parent / ".gitignore").write_text(f"{rnd.choice(all_).name}\n"),
    "touch": lambda rnd, path, all_: os.utime(path),
}


def snapshots(root: Path, cache: Path | None) -> list[object]:
    request = Request(code=(root / "services",), infra=(root,), cache=cache)
    store = Store(sources.collectors(request, lambda _: None), deadline=time.monotonic() + 60)
    store.start()
    return [store.get(kind) for kind in (InfraModel, CodeModel, Observability)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_every_answer_is_the_fresh_one(tmp_path: Path, seed: int) -> None:
    rnd, root = random.Random(seed), Path(shutil.copytree(HEALTHY, tmp_path / "world"))
    for _ in range(15):
        files = sorted(path for path in root.rglob("*") if path.is_file())
        name, path = rnd.choice(list(CHANGES)), rnd.choice(files)
        CHANGES[name](rnd, path, files)
        warm, fresh = snapshots(root, tmp_path / "cache"), snapshots(root, None)
        assert warm == fresh, (name, path)
        assert repr(warm) == repr(fresh), (name, path)
