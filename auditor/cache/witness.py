# ruff: noqa: D102  # what a question means is said where `Disk` declares it
"""What a collector asked of the file system and was told: as long as it would be told the same, it would conclude the same.

A trace is a list of [question, its fixed arguments, {path: answer}]. Contents and listings are answered by digests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from auditor.opening import Disk, Inside, NotRead

Listing = Callable[[Path], Sequence[str]]
Trace = list[tuple[str, list[str | int | None], dict[str, str]]]

_DIGEST = 20
_REFUSED = "!"


class Witness(Disk):
    """A file system that notes what it answers."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str | int | None, ...], dict[str, str]] = {}

    def trace(self) -> Trace:
        """All questions so far, with their answers."""
        told = self._told()
        found: Trace = []
        for (question, *arguments), answers in self._seen.items():
            lead = "" if question == "is_file" else f"{arguments[0]}/" if question == "holds" else None
            implied = {path for path, answer in answers.items() if answer == "True" and f"{lead}{path}" in told}
            left = {path: answer for path, answer in answers.items() if path not in implied}
            found.append((str(question), arguments, answers if lead is None else left))
        return found

    def _told(self) -> set[str]:
        """Files whose contents were told: of them alone it needs no further word that they are there, and in their tree."""
        return {
            f"{arguments[0]}/{path}"
            for (question, *arguments), answers in self._seen.items()
            if question == "content"
            for path, answer in answers.items()
            if not answer.startswith(_REFUSED)
        }

    def _note(self, path: str, answer: str, *question: str | int | None) -> None:
        self._seen.setdefault(question, {})[path] = answer

    def content(self, inside: Inside, path: str, most: int, first: int | None = None) -> bytes:
        try:
            data = super().content(inside, path, most, first)
        except NotRead as error:
            self._note(path, _refusal(error), "content", inside.top, inside.what, most, first)
            raise
        self._note(path, digest(data), "content", inside.top, inside.what, most, first)
        return data

    def is_file(self, path: str) -> bool:
        answer = super().is_file(path)
        self._note(path, str(answer), "is_file")
        return answer

    def holds(self, inside: Inside, path: str) -> bool:
        answer = super().holds(inside, path)
        self._note(path, str(answer), "holds", inside.top)
        return answer

    def names(self, folder: str, *endings: str) -> list[str]:
        answer = super().names(folder, *endings)
        self._note(folder, _joined(answer), "names", *endings)
        return answer

    def real(self, path: str) -> str:
        answer = super().real(path)
        self._note(path, answer, "real")
        return answer

    def files(self, root: Path, by: str, listing: Listing) -> Sequence[str]:
        answer = super().files(root, by, listing)
        self._note(str(root), _joined(answer), "files", by)
        return answer


class Checker:
    """Asks again. A file is read once for all traces that a scan checks, and digests are kept, not bytes."""

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        """`listings`: by name, the rules by which collectors list files."""
        self.listings = listings
        self._disk = Disk()
        self._one_at_a_time = Lock()  # sources start side by side and ask about the same files
        self._insides: dict[tuple[str, str], Inside] = {}
        self._answers: dict[tuple[str | int | None, ...], dict[str, str]] = {}
        self._whole: dict[str, tuple[int, str]] = {}

    def holds(self, trace: Trace) -> bool:
        """Whether every question of a trace has the same answer now. Raises LookupError, TypeError, ValueError for no trace."""
        with self._one_at_a_time:
            return self._all_hold(trace)

    def _all_hold(self, trace: Trace) -> bool:
        for question, arguments, answers in trace:
            if question not in _QUESTIONS:
                raise ValueError(f"no question: {question}")
            ask, known = getattr(self, f"_{question}"), self._answers.setdefault((question, *arguments), {})
            for path, answer in answers.items():
                if path not in known:
                    known[path] = ask(path, *arguments)
                if known[path] != answer:
                    return False
        return True

    def _inside(self, top: str, what: str = "") -> Inside:
        if (top, what) not in self._insides:
            self._insides[top, what] = Inside(top, what)
        return self._insides[top, what]

    def _content(self, path: str, top: str, what: str, most: int, first: int | None) -> str:
        whole = f"{top}/{path}"
        inside = self._inside(top, what)
        if whole in self._whole and inside.holds(path):
            size, found = self._whole[whole]
            if size <= most and (first is None or size <= first):
                return found
        try:
            data = self._disk.content(inside, path, most, first)
        except NotRead as error:
            return _refusal(error)
        found = digest(data)
        if first is None or len(data) < first:
            self._whole[whole] = len(data), found
        return found

    def _is_file(self, path: str) -> str:
        return str(self._disk.is_file(path))

    def _holds(self, path: str, top: str) -> str:
        return str(self._disk.holds(self._inside(top), path))

    def _names(self, path: str, *endings: str) -> str:
        return _joined(self._disk.names(path, *endings))

    def _real(self, path: str) -> str:
        return self._disk.real(path)

    def _files(self, path: str, by: str) -> str:
        return _joined(self.listings[by](Path(path)))


_QUESTIONS = frozenset(("content", "is_file", "holds", "names", "real", "files"))


def digest(data: bytes) -> str:
    """What stands for bytes: blake2b, 160 bits, in hex."""
    return blake2b(data, digest_size=_DIGEST).hexdigest()


def _joined(names: Iterable[str]) -> str:
    return digest("\0".join(names).encode("utf-8", "surrogateescape"))


def _refusal(error: NotRead) -> str:
    return f"{_REFUSED}{type(error).__name__}: {error}"
