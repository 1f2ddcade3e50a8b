"""Opens files of scanned trees: regular ones of a bounded size, inside of the tree. A pipe would block, a device never end.

All that a file collector learns of the file system it learns from a `Disk`, so that the cache can note what was asked.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path


class NotRead(Exception):  # noqa: N818  # no error of anybody: the report lists it
    """Why a file is not read."""


class TooLarge(NotRead):
    """It has more bytes than wanted."""


def content(path: str, most: int, first: int | None = None) -> bytes:
    """A file's bytes, or its `first` ones. Raises NotRead where it is no regular file, above `most` bytes, or unreadable."""
    try:
        status = os.stat(path)  # noqa: PTH116  # called for every file: Path costs more
        if not stat.S_ISREG(status.st_mode):
            raise NotRead("no regular file")
        if status.st_size > most and first is None:
            raise TooLarge(f"larger than {most // 1_000_000} MB")
        wanted = most + 1 if first is None else first
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            data = file.read(min(status.st_size + 1, wanted))
            if status.st_size < len(data) < wanted:  # it grew meanwhile
                data += file.read(wanted - len(data))
    except OSError as error:
        raise NotRead(error.strerror or "unreadable") from error
    if len(data) > most:
        raise TooLarge(f"larger than {most // 1_000_000} MB")
    return data


class Inside:
    """Answers whether paths of a tree stay in it, links followed; `what` is what a reader calls the tree."""

    def __init__(self, top: str, what: str = "folder") -> None:
        self.top = top
        self.what = what
        self._real = os.path.realpath(top)
        self._folders: dict[str, bool] = {}

    def holds(self, path: str) -> bool:
        """Whether a path relative to the top leads to something beneath it, by itself and by links."""
        folder, _, _ = path.rpartition("/")
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = not path.startswith("/") and self._holds_folder(folder)
        whole = f"{self.top}/{path}"
        return known and (not os.path.islink(whole) or self._beneath(whole))  # noqa: PTH114  # called for every file

    def _holds_folder(self, folder: str) -> bool:
        """A folder that is no link is where its parent is, which spares the look at every part of its path."""
        if not folder:
            return True
        return self._beneath(f"{self.top}/{folder}") if ".." in folder else self.holds(folder)

    def _beneath(self, whole: str) -> bool:
        real = os.path.realpath(whole)
        return real == self._real or real.startswith(self._real.rstrip("/") + "/")


class Disk:
    """The file system, as file collectors ask it. Paths are absolute, or below the top of an `Inside`."""

    def content(self, inside: Inside, path: str, most: int, first: int | None = None) -> bytes:
        """The bytes of a tree's file, as `content` gives them. Raises NotRead, for a link out of the tree too."""
        if not inside.holds(path):
            raise NotRead(f"a link out of the {inside.what}")
        return content(f"{inside.top}/{path}", most, first)

    def is_file(self, path: str) -> bool:
        """Whether there is such a file, links followed."""
        return os.path.isfile(path)  # noqa: PTH113  # called thousands of times

    def holds(self, inside: Inside, path: str) -> bool:
        """Whether a tree's path leads to something in the tree."""
        return inside.holds(path)

    def names(self, folder: str, *endings: str) -> list[str]:
        """Names in a folder, in order, of all or of those with one of the endings; empty where there is none."""
        try:
            found = sorted(os.listdir(folder))  # noqa: PTH208  # names alone, thousands of times
        except OSError:
            return []
        return [name for name in found if name.endswith(endings)] if endings else found

    def real(self, path: str) -> str:
        """The path with all links followed."""
        return os.path.realpath(path)

    def files(self, root: Path, by: str, listing: Callable[[Path], Sequence[str]]) -> Sequence[str]:
        """The files beneath a root, as the collector called `by` lists them."""
        return listing(root)
