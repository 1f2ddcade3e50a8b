"""Conditions in a handler's reach: what is compared before a call."""

from __future__ import annotations

from collections.abc import Collection

from auditor.code.model import Condition, Effect, Worker


def condition_of(
    worker: Worker,
    words: Collection[str],
    *,
    before: Effect | None = None,
    stops: bool = True,
    compares: bool = False,
    other_than: Collection[str] = (),
) -> Condition | None:
    """The first condition that names one of these words, stands before the call and (by default) can stop the job.

    `compares`: it asks for a size; `other_than`: words of conditions that are about something else.
    """
    for condition in sorted(worker.tests, key=lambda each: each.order):
        if before is not None and condition.order > before.order:
            return None
        if compares and (not condition.compares or names(condition, other_than)):
            continue
        if (condition.stops or not stops) and names(condition, words):
            return condition
    return None


def names(condition: Condition, words: Collection[str]) -> bool:
    """Whether the condition looks at something called so."""
    return any(word in name.lower() for name in condition.names for word in words)
