"""A snapshot of files from the cache, where its collector would be told the same by every file that it asked; else a fresh one."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import TypeVar

from auditor.cache import entries, tool
from auditor.cache.witness import Checker, Listing, Witness
from auditor.code.source.files import CODE
from auditor.masking import mask_forms
from auditor.opening import Disk

T = TypeVar("T")


class Memory:
    """The cache as one scan sees it. A fault in it costs the cache, never the scan."""

    def __init__(self, where: Path | None, listings: Mapping[str, Listing]) -> None:
        """`where`: the folder of the entries; None: nothing is kept. `listings`: how collectors list files, by name."""
        self.where = where
        self._tool = tool.identity() if where is not None else ""
        self._checker = Checker(listings)

    def remembered(
        self,
        kind: type[T],
        question: Sequence[object],
        collect: Callable[[Disk], T],
        *,
        whole: Callable[[T], bool],
        deadline: float | None = None,
    ) -> T:
        """What `collect` gives, or gave when the files were as they are now.

        `question` is all else that it depends on, told apart by `repr`. It is kept if it is `whole` and the deadline, in
        seconds of `time.monotonic()`, has not passed.
        """
        if self.where is None:
            return collect(Disk())
        key = self._key(kind, question)
        found = self._recall(kind, self.where, key)
        if found is not None:
            return found
        witness = Witness()
        made = collect(witness)
        if whole(made) and (deadline is None or time.monotonic() < deadline):
            self._keep(kind, self.where, key, witness, made)
        return made

    def _key(self, kind: type[T], question: Sequence[object]) -> str:
        asked = repr((self._tool, kind.__module__, kind.__name__, *question))
        return (
            f"{kind.__name__.lower()}-{blake2b(asked.encode('utf-8', 'backslashreplace'), digest_size=20).hexdigest()}"
        )

    def _recall(self, kind: type[T], where: Path, key: str) -> T | None:
        from auditor.cache.schema import loads

        collecting = gc.isenabled()
        gc.disable()  # thousands of small objects and no garbage
        try:
            for entry in entries.of(where, key):
                if self._checker.holds(entry.trace):
                    found = loads(kind, entry.text)
                    entry.used()
                    return found
        except Exception:  # whatever is wrong with an entry, the files themselves are there
            return None
        finally:
            if collecting:
                gc.freeze()  # a snapshot lives as long as the scan, and holds no cycles to look for
                gc.enable()
        return None

    def _keep(self, kind: type[T], where: Path, key: str, witness: Witness, made: T) -> None:
        from auditor.cache.schema import dumps

        try:
            entries.write(where, key, witness.trace(), dumps(kind, made, _secret))
        except Exception:  # a value that has no text, a disk that is full
            return


def _secret(text: str) -> bool:
    """Whether a text that collectors should have masked holds what looks like a secret; paths may look like anything."""
    return mask_forms(text) != text and not text.endswith(CODE)


def place(path: Path) -> tuple[str, str, bool]:
    """What a collector may know of a root by its name alone: as given, where it really is, and whether it is a folder."""
    return str(path), str(path.resolve()), path.is_dir()
