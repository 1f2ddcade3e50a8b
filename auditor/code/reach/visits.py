"""The walk's way through functions: where each is called, what is known there, and how often it is walked."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.code.evaluation.taint import Paths
from auditor.code.evaluation.values import Frame
from auditor.code.syntax.facts import Call, Function
from auditor.model import CodeSpan

MOST_FUNCTIONS = 1_000
"""Walked for one handler function; one worker may have dozens of handlers."""
MOST_AGAIN = 450
"""Visits after which no function is walked again: what was not seen yet comes first."""
MOST_VISITS = 2
"""Of one function in one handler: before and after a side effect are two different places."""
SMALL = 3
"""Functions that a walk of a small helper meets: `markPayment(orderId, 'PAID')` stands on many paths, and costs little."""
MOST_SMALL = 8
DEEPEST = 40

Target = tuple[Function, "Frame | None"]


@dataclass(frozen=True, slots=True)
class Way:
    """One call on the way of a walk: the function that it runs, what that closes over, and the call before it."""

    call: Call
    target: Function
    closure: Frame | None
    before: Way | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a function is called: what stands around it, and the way there."""

    within: tuple[str, ...]
    path: tuple[CodeSpan, ...]
    steps: tuple[str, ...] = ()
    calls: tuple[CodeSpan, ...] = ()
    frame: Frame | None = None
    """The call that the function's parameters are bound by, where it is a wrapper's closure: `withLog(handler)`."""
    own: Frame | None = None
    """This very call, where it gives what decides what the function runs: `withDeadline(ms, () => sendMail(job))`."""
    dropped: bool = False
    """The caller goes on whatever the function gives."""
    ended: bool = False
    """Something around the call ends it after a time."""
    via: Way | None = None
    """The call itself, and those before it."""


@dataclass(slots=True)
class Visit:
    """The walk's state within one function."""

    function: Function
    env: dict[str, Paths]
    within: tuple[str, ...]
    path: tuple[CodeSpan, ...]
    transactions: list[tuple[int, int]]
    place: Place = Place((), ())
    frame: Frame | None = None
    own: Frame | None = None
    returned: set[int] = field(default_factory=set)


Key = tuple[object, ...]


def key_of(function: Function, frame: Frame | None, own: Frame | None) -> Key:
    """One way of walking a function: `withMetrics(handlerA)` gives the same closure as `withMetrics(handlerB)`, and
    `traced(() => send())` runs the same helper as `traced(() => read())`, but each does something else."""
    return (id(function), id(frame), id(own))


class Seen:
    """Functions that a walk has been in, with how often each may be walked again.

    A helper that does something is walked again where it is called again (the look before a send and the wait after it are
    different places), but never within itself; one that does nothing is walked once.
    """

    def __init__(self) -> None:
        self.visits = 0
        self.refused = 0
        """Times that a function was not walked again, though it may do something."""
        self._left: dict[Key, int] = {}
        self._small: set[Key] = set()

    def again(self, key: Key) -> bool:
        """Whether to walk it (once more)."""
        if key not in self._left or (self._left[key] > 0 and self.visits < MOST_AGAIN):
            return True
        self.refused += 1
        return False

    def enter(self, key: Key) -> int:
        """Note that it is being walked; gives how often it may still be."""
        left = self._left.get(key, MOST_VISITS) - 1
        self.visits += 1
        self._left[key] = 0
        return left

    def leave(self, key: Key, left: int, *, useful: bool, spent: int) -> None:
        """Note that its walk is over, after so many visits."""
        if spent <= SMALL and left == MOST_VISITS - 1 and key not in self._small:
            self._small.add(key)
            left = MOST_SMALL - 1
        self._left[key] = left if useful else 0
