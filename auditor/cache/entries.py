"""The files of the cache: one per snapshot, in a folder of the user's own, written whole or not at all, bounded.

An entry is a header with the digest of the rest, the trace, and the snapshot, a line each. Whatever is not that, or belongs
to another user, is not there. A folder that can't be written costs the cache alone.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from auditor.cache.witness import Trace, digest

VARIABLE = "TT_AUDIT_CACHE_DIR"
MOST_ENTRIES = 60
MOST_BYTES = 200_000_000
MOST_OF_ONE = 4
"""Entries for one question, as several branches of a repository make them."""
_LARGEST = 100_000_000
_HEADER = "tt-audit-cache/1"
_SUFFIX = ".entry"


def folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where entries lie: `TT_AUDIT_CACHE_DIR`, else the platform's place for caches; None where there is no home."""
    if own := environment.get(VARIABLE):
        return Path(own)
    if base := environment.get("XDG_CACHE_HOME"):
        return Path(base) / "tt-audit"
    home = environment.get("HOME")
    if not home:
        return None
    return Path(home) / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "tt-audit"


@dataclass(frozen=True, slots=True)
class Entry:
    """A snapshot as text, and what its collector was told by the file system."""

    path: Path
    trace: Trace
    text: str

    def used(self) -> None:
        """Keep it longer than those that nobody asks for."""
        with suppress(OSError):
            os.utime(self.path)


def of(where: Path, key: str) -> Iterator[Entry]:
    """The entries for a key, the newest first; those that are broken or another user's are passed over."""
    for _, _, path in sorted(_listed(where, key), reverse=True):
        entry = _read(path)
        if entry is not None:
            yield entry


def exists(where: Path, key: str) -> bool:
    """Whether there is anything for a key."""
    return any(_listed(where, key))


def write(where: Path, key: str, trace: Trace, text: str) -> None:
    """Keep a snapshot; nothing happens where that is not possible."""
    body = f"{json.dumps(trace, separators=(',', ':'))}\n{text}\n".encode("ascii")
    if len(body) > _LARGEST:
        return
    with suppress(OSError):
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = where / f"{key}-{os.urandom(8).hex()}{_SUFFIX}"
        partial = path.with_suffix(".partial")
        try:
            with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123  # with a mode
                file.write(f"{_HEADER} {digest(body)}\n".encode() + body)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        _prune(where, key)


def _read(path: Path) -> Entry | None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_size > _LARGEST:
                return None
            header, _, body = file.read().partition(b"\n")
        if header.decode("ascii") != f"{_HEADER} {digest(body)}":
            return None
        trace, _, text = body.decode("ascii").partition("\n")
        return Entry(path, json.loads(trace), text)
    except (OSError, ValueError, RecursionError):
        return None


def _listed(where: Path, key: str) -> Iterator[tuple[int, int, Path]]:
    """(time of last use in ns, size in bytes, path) of the entries whose names begin with `key`."""
    try:
        for entry in os.scandir(where):
            if entry.name.startswith(key) and entry.name.endswith((_SUFFIX, ".partial")):
                with suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    yield status.st_mtime_ns, status.st_size, Path(entry.path)
    except OSError:
        return


def _prune(where: Path, key: str) -> None:
    """Drop the entries that were not used for longest, where they are too many or too large."""
    for _, _, path in sorted(_listed(where, key), reverse=True)[MOST_OF_ONE:]:
        path.unlink(missing_ok=True)
    total = 0
    for at, (_, size, path) in enumerate(sorted(_listed(where, ""), reverse=True)):
        total += size
        if at >= MOST_ENTRIES or total > MOST_BYTES:
            path.unlink(missing_ok=True)
