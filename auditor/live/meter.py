"""Counts what a scan sends, and stops it at its budget."""

from __future__ import annotations

import threading
import time
from collections import Counter

from .budget import Budget


class BudgetSpentError(Exception):
    """The budget is used up; what was read until then stays."""


class Meter:
    """One for all connections of a scan, which may run in threads; `deadline` is of `time.monotonic()`."""

    def __init__(self, budget: Budget, deadline: float) -> None:
        self.budget = budget
        self.started = time.monotonic()
        self.deadline = min(deadline, self.started + budget.seconds)
        self.own_deadline = self.started + budget.seconds <= deadline
        """Whether the budget's seconds end before the scan's deadline."""
        self.commands: Counter[str] = Counter()
        self.keys_scanned = 0
        self._lock = threading.Lock()

    def spend(self, rules: list[str]) -> None:
        """Book commands before they are sent; raises BudgetSpentError where they don't fit any more."""
        with self._lock:
            if self.commands.total() + len(rules) > self.budget.commands:
                raise BudgetSpentError(f"the budget of {self.budget.commands:,} commands is spent")
            if self.left <= 0:
                raise BudgetSpentError(f"the time is up ({self.seconds:.0f} s)")
            self.commands.update(rules)

    def scanned(self, keys: int) -> None:
        """Book keys that SCAN walked over."""
        with self._lock:
            self.keys_scanned += keys

    @property
    def left(self) -> float:
        """Seconds until the deadline; zero or less when it has passed."""
        return self.deadline - time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds allowed in all."""
        return self.deadline - self.started
