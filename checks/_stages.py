"""Stages of a handler: what it writes between two external calls (item 13)."""

from __future__ import annotations

from auditor.code.model import Effect, Role, Worker

from ._roles import EXTERNAL, REMOTE, WRITES

_BORDERS = EXTERNAL | REMOTE | {Role.CHAIN_NONCE, Role.CHAIN_GAS}
"""Calls that leave for somebody else's server: what comes after one is another stage."""


def stages(worker: Worker) -> list[list[Effect]]:
    """Writes in order, cut at every external call and at the border of a catch: what a crash can tear apart."""
    cut: list[list[Effect]] = [[]]
    in_catch = False
    for effect in sorted(worker.effects, key=lambda e: e.order):
        if effect.role in _BORDERS:
            cut.append([])
        if effect.role not in WRITES:
            continue
        if ("catch" in effect.within) != in_catch:
            in_catch = not in_catch
            cut.append([])
        cut[-1].append(effect)
    return [stage for stage in cut if stage]


def loose_writes(worker: Worker) -> list[Effect]:
    """Writes of one path and stage of which two or more are outside a transaction; a transaction counts as one."""
    for stage in stages(worker):
        for first in range(len(stage)):
            path = [stage[first], *(later for later in stage[first + 1 :] if follows(stage[first], later))]
            loose = [effect for effect in path if "transaction" not in effect.within]
            if len(loose) + (len(loose) < len(path)) >= 2:
                return loose
    return []


def follows(earlier: Effect, later: Effect) -> bool:
    """Whether one run can meet both: one handler makes them, the earlier one's branch does not leave, and they are not two sides of one choice."""
    if earlier.run != later.run or any(_left(word, earlier, later) for word in earlier.within):
        return False
    arms = dict(word.rsplit(":", 1) for word in later.within if word.startswith("arm:"))
    mine = [word.rsplit(":", 1) for word in earlier.within if word.startswith("arm:")]
    return all(arms.get(choice, side) == side for choice, side in mine)


def _left(word: str, earlier: Effect, later: Effect) -> bool:
    """Whether the branch `word` of the earlier one leaves before the later one: a helper that returns leaves itself alone."""
    if not word.startswith("exits:") or word in later.within:
        return False
    if "@" not in word:
        return True
    depth = int(word.rpartition("@")[2])
    return (earlier.path[:depth], earlier.calls[: depth - 1]) == (later.path[:depth], later.calls[: depth - 1])
