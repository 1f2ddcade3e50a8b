"""Reading many things in few round trips: readers are generators that yield commands and get replies.

`together` runs readers in step: each step sends the commands of all of them as one pipeline. A reader catches
`LostError` and `BudgetSpentError` and returns what it has.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TypeAlias, TypeVar

from .allowlist import rule
from .connection import Asker, Command, LostError, Reply, ReplyError
from .meter import BudgetSpentError
from .refusals import refused
from .server_model import Refused

T = TypeVar("T")
Asking: TypeAlias = Generator[list[Command], list[Reply], T]

STOPPED = (LostError, BudgetSpentError)


def together(connection: Asker, readers: Sequence[Asking[T]]) -> tuple[list[T], Exception | None]:
    """Results of the readers in order, and what ended the run early: then each reader gave what it had until then."""
    results: dict[int, T] = {}
    asked: dict[int, list[Command]] = {}
    stopped: Exception | None = None

    def step(at: int, reader: Asking[T], replies: list[Reply] | None) -> None:
        try:
            if stopped is not None:
                asked[at] = reader.throw(stopped)
            else:
                asked[at] = next(reader) if replies is None else reader.send(replies)
        except StopIteration as end:
            asked.pop(at, None)
            results[at] = end.value

    for at, reader in enumerate(readers):
        step(at, reader, None)
    while asked:
        turn = list(asked.items())
        replies: list[Reply] = []
        if stopped is None:
            try:
                replies = connection.run(command for _, commands in turn for command in commands)
            except STOPPED as error:
                stopped = error
        start = 0
        for at, commands in turn:
            step(at, readers[at], replies[start : start + len(commands)])
            start += len(commands)
    return [results[at] for at in sorted(results)], stopped


class Answers:
    """Replies to named commands. Errors count as nothing found, and are kept apart: refusals, and keys of a wrong type."""

    def __init__(self, commands: dict[str, Command], replies: list[Reply]) -> None:
        self._replies = dict(zip(commands, replies, strict=False))
        self.refused: list[Refused] = []
        self.wrong: list[str] = []
        for name, command in commands.items():
            reply = self._replies.get(name)
            if isinstance(reply, ReplyError):
                if reply.code == "WRONGTYPE":
                    self.wrong.append(str(command[1]))
                else:
                    self.refused.append(refused(rule(command).upper().split("|"), reply))

    def count(self, name: str) -> int:
        """An integer reply; 0 where there is none."""
        reply = self._replies.get(name)
        return reply if isinstance(reply, int) else 0

    def text(self, name: str) -> str | None:
        """A string reply."""
        reply = self._replies.get(name)
        return reply if isinstance(reply, str) else None

    def number(self, name: str) -> int | None:
        """A string reply that is a whole number."""
        return whole(self._replies.get(name))

    def items(self, name: str) -> list[str | None]:
        """A list reply's strings; anything else in it is None."""
        reply = self._replies.get(name)
        return [item if isinstance(item, str) else None for item in reply] if isinstance(reply, list) else []

    def raw(self, name: str) -> Reply:
        """The reply as it came."""
        return self._replies.get(name)


def whole(value: object) -> int | None:
    """A whole number from a reply or a field; BullMQ writes some times as floats."""
    if isinstance(value, int):
        return value
    if not isinstance(value, str) or len(value) > 24:
        return None
    try:
        return int(value)
    except ValueError:
        pass
    try:
        return int(float(value))
    except (ValueError, OverflowError):
        return None
