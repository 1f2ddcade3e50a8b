"""How fast a queue completes and fails jobs, from the best source that it has, and how long its backlog will take."""

from __future__ import annotations

from dataclasses import dataclass

from .jobs_model import State
from .model import JobMetrics, LiveQueue

_MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Rates:
    """Jobs that ended in a window: final outcomes, retries not counted."""

    completed: int
    failed: int
    window_ms: int
    source: str
    """`metrics` (exact), `events` (exact within the stream's window), `kept jobs` (biased: removed jobs are missing)."""

    @property
    def failing(self) -> float:
        """Share of the failed, 0 to 1; 0 where nothing ended."""
        ended = self.completed + self.failed
        return self.failed / ended if ended else 0.0

    @property
    def per_minute(self) -> float:
        """Completed jobs per minute."""
        return self.completed * _MINUTE_MS / self.window_ms if self.window_ms else 0.0


def rates(queue: LiveQueue) -> Rates | None:
    """Metrics where the workers keep them, else the events stream, else what finished sampled jobs tell; None: nothing."""
    return _by_metrics(queue) or _by_events(queue) or _by_kept(queue)


def drain_ms(queue: LiveQueue) -> int | None:
    """Time until the waiting jobs are done at the present rate; None where nothing completes or nothing is known."""
    known = rates(queue)
    if known is None or not known.per_minute or not queue.counts.depth:
        return None
    return int(queue.counts.depth / known.per_minute * _MINUTE_MS)


def _by_metrics(queue: LiveQueue) -> Rates | None:
    done, failed = queue.metrics_completed, queue.metrics_failed
    minutes = max((len(each.per_minute) for each in (done, failed) if each is not None), default=0)
    if not minutes:
        return None
    return Rates(_sum(done), _sum(failed), minutes * _MINUTE_MS, "metrics")


def _sum(metrics: JobMetrics | None) -> int:
    return sum(metrics.per_minute) if metrics is not None else 0


def _by_events(queue: LiveQueue) -> Rates | None:
    events = queue.events
    if events is None or events.read_from_ms is None or events.last_ms is None or events.last_ms <= events.read_from_ms:
        return None
    done, failed = events.types.get("completed", 0), events.types.get("failed", 0)
    # up to now, not to the last event: a queue that came to rest is slow
    window = max(queue.read_ms, events.last_ms) - events.read_from_ms
    return Rates(done, failed, window, "events") if done or failed else None


def _by_kept(queue: LiveQueue) -> Rates | None:
    hour = 60 * _MINUTE_MS
    ended = [job for job in queue.sampled if job.finished_on is not None and queue.read_ms - job.finished_on < hour]
    taken, of = queue.sampling.taken, queue.sampling.of
    whole = all(taken.get(state, 0) == of.get(state, 0) for state in (State.COMPLETED, State.FAILED))
    if not ended or not whole:
        return None  # a sample of the newest says nothing of a rate
    failed = sum(1 for job in ended if job.state is State.FAILED)
    return Rates(len(ended) - failed, failed, hour, "kept jobs")
