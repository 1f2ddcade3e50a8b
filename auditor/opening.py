"""Opens files of scanned trees: regular ones of a bounded size, inside of the tree. A pipe would block, a device never end."""

from __future__ import annotations

import os
import stat


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
        with open(path, "rb") as file:  # noqa: PTH123  # as above
            data = file.read(most + 1 if first is None else first)
    except OSError as error:
        raise NotRead(error.strerror or "unreadable") from error
    if len(data) > most:
        raise TooLarge(f"larger than {most // 1_000_000} MB")
    return data


class Inside:
    """Answers whether paths of a tree stay in it, links followed."""

    def __init__(self, top: str) -> None:
        self.top = top
        self._real = os.path.realpath(top)
        self._folders: dict[str, bool] = {}

    def holds(self, path: str) -> bool:
        """Whether a path relative to the top leads to something beneath it, by itself and by links."""
        folder, _, _ = path.rpartition("/")
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = not path.startswith("/") and self._beneath(f"{self.top}/{folder}")
        whole = f"{self.top}/{path}"
        return known and (not os.path.islink(whole) or self._beneath(whole))  # noqa: PTH114  # called for every file

    def _beneath(self, whole: str) -> bool:
        real = os.path.realpath(whole)
        return real == self._real or real.startswith(self._real.rstrip("/") + "/")
