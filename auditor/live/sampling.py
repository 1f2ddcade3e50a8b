"""Choosing jobs: of each state the newest, the oldest and, evenly at random, some of the rest; bounded, and counted."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from .asking import Answers
from .budget import Budget
from .connection import Command
from .jobs_model import State
from .keys import LISTS, SETS, is_job
from .model import Counts
from .state import Shared, next_in_line

_AT_LEAST = 4
"""Jobs of a queue that are read even where there are thousands of queues, unless fewer were asked for."""

_TELLING = (
    # ended jobs show options, data, result, run time and stalls at once; new ones show the options in force
    *(State.COMPLETED, State.WAITING, State.FAILED, State.ACTIVE),
    *(State.PRIORITIZED, State.DELAYED, State.PAUSED, State.WAITING_CHILDREN),
)
"""The order in which states get a job, where there are fewer jobs than states."""

_DATED = (State.DELAYED, State.COMPLETED, State.FAILED)
"""Sets whose first score is a fact of its own."""


def sizes(counts: Counts) -> dict[State, int]:
    """Jobs by state, the empty ones left out."""
    held = {
        State.WAITING: counts.waiting,
        State.PAUSED: counts.paused,
        State.PRIORITIZED: counts.prioritized,
        State.DELAYED: counts.delayed,
        State.ACTIVE: counts.active,
        State.COMPLETED: counts.completed,
        State.FAILED: counts.failed,
        State.WAITING_CHILDREN: counts.waiting_children,
    }
    return {state: held[state] for state in State if held[state]}


def of_a_queue(budget: Budget, left: int, queues: int) -> int:
    """Jobs to read of each of so many queues, where `left` may be read of all of them."""
    fair = left // max(queues, 1)
    return max(min(budget.sample, max(fair, _AT_LEAST) if budget.each_state else fair), 1)


def shares(held: Mapping[State, int], sample: int) -> dict[State, int]:
    """How many jobs to read of each state, `sample` in all: as even as the sizes allow."""
    served = [state for state in _TELLING if state in held][:sample]
    left, share = sample, {}
    for position, state in enumerate(sorted(served, key=lambda state: held[state])):
        share[state] = min(held[state], left // (len(served) - position))
        left -= share[state]
    return share


class Form(Enum):
    """How a reply holds ids of jobs."""

    IDS = "ids"
    SCORED = "ids, each with its score"
    LAST = "ids of which the last one that is a job's counts"


@dataclass(frozen=True, slots=True)
class Picks:
    """Commands that give the ids of the jobs to sample; `next` and `oldest delayed` read what `state.ends` does, or more."""

    commands: dict[str, Command] = field(default_factory=dict)
    forms: dict[str, tuple[State, Form]] = field(default_factory=dict)
    """By the commands' names."""

    def ids(self, said: Answers) -> list[tuple[State, str]]:
        """Ids of the sampled jobs with their state, each id once."""
        found: dict[str, State] = {}
        for name, (state, form) in self.forms.items():
            one = said.text(name)
            members = [one] if one is not None else said.items(name)
            members = members[::2] if form is Form.SCORED else members
            jobs = [job for job in members if job is not None and is_job(job)]
            for job in jobs[-1:] if form is Form.LAST else jobs:
                found.setdefault(job, state)
        return [(state, job) for job, state in found.items()]


def picks(stem: str, counts: Counts, shared: Shared) -> Picks:
    """What to ask of a queue for its sample."""
    held, wanted = sizes(counts), Picks()
    for state, take in shares(held, max(shared.sample, len(held)) if shared.each_state else shared.sample).items():
        key = f"{stem}{LISTS.get(state) or SETS[state]}"
        if state in LISTS:
            found = _from_list(key, state, held[state], take)
        else:
            found = _from_set(key, state, held[state], take, backwards=shared.backwards)
        for number, (given, form, command) in enumerate(found):
            name = given or f"{state} {number}"
            wanted.commands[name] = command
            wanted.forms[name] = (state, form)
    return wanted


_Pick = tuple[str, Form, Command]
"""A name where the reply tells more than ids, else empty."""


def _from_list(key: str, state: State, size: int, take: int) -> list[_Pick]:
    """New jobs enter at the left, but for `lifo` ones."""
    waiting = state is State.WAITING
    if take >= size:
        return [("next" if waiting else "", Form.IDS, ("LRANGE", key, 0, size - 1))]
    if take == 1:  # of active jobs the one that has been at it longest
        return [("", Form.IDS, ("LINDEX", key, -1 if state is State.ACTIVE else 0))]
    newest, ranks = _spread(size, take)
    oldest: _Pick = ("next", Form.LAST, next_in_line(key)) if waiting else ("", Form.IDS, ("LINDEX", key, -1))
    others = [("LINDEX", key, size - 1 - rank) for rank in ranks]
    return [("", Form.IDS, ("LRANGE", key, 0, newest - 1)), oldest, *(("", Form.IDS, other) for other in others)]


def _from_set(key: str, state: State, size: int, take: int, *, backwards: bool) -> list[_Pick]:
    name, form = (f"oldest {SETS[state]}", Form.SCORED) if state in _DATED else ("", Form.IDS)
    scores = ("WITHSCORES",) if form is Form.SCORED else ()
    if take >= size:
        return [(name, form, ("ZRANGE", key, 0, size - 1, *scores))]
    newest, ranks = _spread(size, take) if take > 1 else (1, [])
    last: Command = ("ZRANGE", key, 0, newest - 1, "REV") if backwards else ("ZRANGE", key, -newest, -1)
    oldest = [(name, form, ("ZRANGE", key, 0, 0, *scores))] if take > 1 else []
    others = [("ZRANGE", key, rank, rank) for rank in ranks]
    return [("", Form.IDS, last), *oldest, *(("", Form.IDS, other) for other in others)]


def _spread(size: int, take: int) -> tuple[int, list[int]]:
    """How many of the newest, and ranks of others, counted from the oldest, which is taken too."""
    newest = (take + 1) // 2
    return newest, random.sample(range(1, size - newest), take - newest - 1)
