"""Ctrl-C and SIGTERM as one exception, put off where a half-done step would leave something behind."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns the ending signals into KeyboardInterrupt; made by `interrupts`."""

    def __init__(self) -> None:
        self._held = 0
        self._pending = False

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """The signal handler: raise at once, or when the last `held` block ends."""
        if self._held:
            self._pending = True
            return
        raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """A block that no signal cuts in half: what came meanwhile is raised at its end."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self._pending and not self._held:
            self._pending = False
            raise KeyboardInterrupt


@contextmanager
def interrupts() -> Iterator[Interrupts]:
    """Own the ending signals for a while; outside the main thread Python allows no handlers, and none is set."""
    guard = Interrupts()
    if threading.current_thread() is not threading.main_thread():
        yield guard
        return
    before = {number: signal.signal(number, guard.handle) for number in _ENDING}
    try:
        yield guard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
