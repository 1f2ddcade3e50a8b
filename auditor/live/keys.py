"""The key names of Bull and BullMQ, and which keys they can be told by."""

from __future__ import annotations

from collections.abc import Iterator

from .jobs_model import State

PROOF = (
    "wait",
    "active",
    "delayed",
    "completed",
    "failed",
    "events",
    "prioritized",
    "stalled-check",
    "repeat",
    "waiting-children",
)
"""Keys of which a queue in use has at least one."""

META = ("version", "opts.maxLenEvents", "paused", "concurrency", "max", "duration")
"""Fields of a queue's `meta` that are read."""

LISTS = {State.WAITING: "wait", State.PAUSED: "paused", State.ACTIVE: "active"}
"""States kept in a list; new jobs enter at the left."""

SETS = {
    State.PRIORITIZED: "prioritized",
    State.DELAYED: "delayed",
    State.COMPLETED: "completed",
    State.FAILED: "failed",
    State.WAITING_CHILDREN: "waiting-children",
}
"""States kept in a sorted set."""


def is_job(member: str) -> bool:
    """Whether a member of a list may be a job's id: BullMQ 3 and 4 put markers `0:<ms>` among the waiting."""
    return not member.startswith("0:")


def candidates(key: str) -> Iterator[tuple[str, str]]:
    """(prefix, queue) pairs that the key may belong to, the likeliest first; job ids may hold colons too.

    `bull:mail:wait` → (bull, mail). `bull:mail:repeat:x:1` → (bull, mail), then guesses further right.
    """
    parts = key.split(":")
    for end in range(2, min(len(parts), 6)):
        prefix, queue, rest = ":".join(parts[: end - 1]), parts[end - 1], ":".join(parts[end:])
        # an empty part is no queue: BullMQ 6's relay keys look like `bull::relay:…`
        if prefix and queue and rest and not prefix.endswith(":"):
            yield prefix, queue


def split_meta(key: str) -> tuple[str, str] | None:
    """(prefix, queue) of a key that ends in `:id` or `:meta`, None of any other."""
    stem, _, last = key.rpartition(":")
    prefix, _, queue = stem.rpartition(":")
    return (prefix, queue) if last in ("id", "meta") and prefix and queue and not prefix.endswith(":") else None
