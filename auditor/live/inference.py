"""What timers and counters of sampled jobs tell of options that Redis does not store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .jobs import shown
from .jobs_model import Failure, SampledJob, State
from .model import Durations, LockFact, LockSureness, Stalls
from .state import snap


@dataclass(frozen=True, slots=True)
class Lock:
    """A look at one active job's lock: rest of its life and the job's age, in ms; `rest` -2: there is none."""

    job: str
    """Its id as Redis holds it."""
    rest: int
    age: int | None
    holder: str = ""
    """The worker that holds it, by its token."""
    renewed: bool = True
    """Whether its worker may live and renew it; a dead one's lock runs out."""


def lock_duration(locks: Sequence[Lock], era: str) -> LockFact | None:
    """`lockDuration` from live locks.

    The libraries renew at half of it (Bull, BullMQ 1 and 2) or first at 0.4 of it (since 3): a job much younger than
    its lock's rest has never been renewed, so rest + age is the duration. Else the rests bound it, from above only as
    long as somebody renews; a lock that runs out is at most as long as rest + age.
    """
    alive = [lock for lock in locks if lock.rest > 0]
    if not alive:
        return None
    fresh = [lock for lock in alive if lock.age is not None and lock.age >= 0 and lock.rest > 4 * lock.age]
    if fresh:
        lock = min(fresh, key=lambda lock: lock.age or 0)
        exact = snap(lock.rest + (lock.age or 0))
        return LockFact(exact, exact, LockSureness.EXACT, shown(lock.job))
    longest = max(alive, key=lambda lock: lock.rest)
    late = 1 / 0.6 if era in ("bullmq 3", "bullmq 4", "bullmq 5", "bullmq 6", "bullmq 5-6") else 2
    above = [int(lock.rest * late) for lock in alive if lock.renewed]
    above += [lock.rest + lock.age for lock in alive if not lock.renewed and lock.age is not None]
    high = min(above, default=int(longest.rest * late))
    return LockFact(longest.rest, max(high, longest.rest), LockSureness.BOUNDS, shown(longest.job))


def durations(jobs: Sequence[SampledJob]) -> Durations | None:
    """Run times of completed jobs."""
    runs = sorted((job.run_ms, job.id) for job in jobs if job.state is State.COMPLETED and job.run_ms is not None)
    if not runs:
        return None

    def at(share: float) -> int:
        return runs[min(int(len(runs) * share), len(runs) - 1)][0]

    return Durations(len(runs), at(0.50), at(0.95), at(0.99), runs[-1][0], runs[-1][1])


def stalls(jobs: Sequence[SampledJob], *, events: int, suspected: int) -> Stalls:
    """Signs that jobs lost their lock; orphans need a second look and come later."""
    failed = [job for job in jobs if job.failure is Failure.STALLED]
    counted = [job.stalled_count for job in failed if job.stalled_count]
    return Stalls(
        events=events,
        completed=tuple(job.id for job in jobs if job.state is State.COMPLETED and job.stalled_count),
        failed=tuple(job.id for job in failed),
        suspected=suspected,
        max_stalled_count=min(counted) - 1 if counted else None,
    )
