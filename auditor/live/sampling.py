"""Choosing jobs: of each state the newest and, evenly at random, some of the rest; bounded, and counted."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from .asking import Answers
from .connection import Command
from .jobs_model import State
from .keys import LISTS, SETS
from .model import Counts


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


def shares(held: Mapping[State, int], sample: int) -> dict[State, int]:
    """How many jobs to read of each state: as even as the sizes allow, `sample` in all (one a state at least)."""
    left, share = max(sample, len(held)), {}
    for position, (state, size) in enumerate(sorted(held.items(), key=lambda pair: pair[1])):
        share[state] = min(size, max(left // (len(held) - position), 1))
        left -= share[state]
    return share


@dataclass(frozen=True, slots=True)
class Picks:
    """Commands that give the ids of the jobs to sample."""

    commands: dict[str, Command]
    states: dict[str, State]
    """By the commands' names."""

    def ids(self, said: Answers) -> list[tuple[State, str]]:
        """Ids of the sampled jobs with their state, each id once."""
        found: dict[str, State] = {}
        for name, state in self.states.items():
            one = said.text(name)
            for job in [one] if one is not None else said.items(name):
                if job is not None and not job.startswith("0:"):
                    found.setdefault(job, state)
        return [(state, job) for job, state in found.items()]


def picks(stem: str, counts: Counts, sample: int) -> Picks:
    """What to ask for `sample` jobs of a queue."""
    held = sizes(counts)
    commands: dict[str, Command] = {}
    states: dict[str, State] = {}
    for state, take in shares(held, sample).items():
        for number, command in enumerate(_commands(stem, state, held[state], take)):
            commands[f"{state} {number}"] = command
            states[f"{state} {number}"] = state
    return Picks(commands, states)


def _commands(stem: str, state: State, size: int, take: int) -> list[Command]:
    key = f"{stem}{LISTS.get(state) or SETS[state]}"
    listed = state in LISTS
    if take >= size:
        return [("LRANGE" if listed else "ZRANGE", key, 0, size - 1)]
    newest = (take + 1) // 2
    ranks = random.sample(range(size - newest), take - newest)
    if listed:  # new jobs enter at the left
        return [("LRANGE", key, 0, newest - 1), *(("LINDEX", key, newest + rank) for rank in ranks)]
    return [("ZRANGE", key, -newest, -1), *(("ZRANGE", key, rank, rank) for rank in ranks)]
