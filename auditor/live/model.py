"""What a live Redis shows: servers, queues, sampled jobs.

Moments are ms since the epoch, durations are ms unless a name says otherwise, sizes are bytes. A fact that the
server refused is a `Refused` in its place; None is a fact that the server does not have (an old version, an
absent key). No value of a payload ever gets in here: only sizes, options, key paths and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from auditor.model import RedisPlace, RedisTarget, Snapshot, SourceReport

from .jobs_model import Hit, JobGroup, SampledJob, Sampling, Scheduler
from .server_model import Refused, Server, Unreached

__all__ = [
    "Counts",
    "Durations",
    "EventsWindow",
    "FoundBy",
    "Hit",
    "JobGroup",
    "JobMetrics",
    "Library",
    "LiveQueue",
    "LiveRedis",
    "LockFact",
    "LockSureness",
    "QueueWorkers",
    "Refused",
    "SampledJob",
    "Sampling",
    "Scheduler",
    "Server",
    "Stalls",
    "Unreached",
]


class Library(StrEnum):
    """Which library wrote the queue's keys."""

    BULL = "bull"
    BULLMQ = "bullmq"
    UNKNOWN = "unknown"
    """Nothing left that tells them apart."""


class FoundBy(StrEnum):
    """What led to a queue first, in the order of trying."""

    CLIENTS = "client names"
    CODE = "code"
    RANDOM = "random keys"
    SCAN = "scan"


@dataclass(frozen=True, slots=True)
class Counts:
    """Jobs by state. BullMQ 3 and 4's wait markers (`0:...`) are not counted."""

    waiting: int = 0
    paused: int = 0
    prioritized: int = 0
    """BullMQ 4 and later; older priorities are counted in `waiting` already."""
    delayed: int = 0
    active: int = 0
    completed: int = 0
    failed: int = 0
    waiting_children: int = 0

    @property
    def depth(self) -> int:
        """Jobs that a worker could take now: waiting, paused, prioritized."""
        return self.waiting + self.paused + self.prioritized

    @property
    def total(self) -> int:
        """All jobs that Redis still holds."""
        return self.depth + self.delayed + self.active + self.completed + self.failed + self.waiting_children


@dataclass(frozen=True, slots=True)
class QueueWorkers:
    """Live workers of a queue, by client names; a queue's plain producers have no name and are not seen."""

    count: int
    hosts: tuple[str, ...] = ()
    """Distinct addresses without ports; NAT and proxies hide hosts."""
    names: tuple[str, ...] = ()
    """BullMQ worker names (`:w:<name>`), sorted."""
    listeners: int = 0
    """QueueEvents connections."""
    certain: bool = True
    """False where client names can't be relied on, and the count is a lower bound: a replica, workers of a cluster."""
    youngest_s: int | None = None
    """Seconds since the newest of their connections was made: about when the newest worker started."""
    oldest_s: int | None = None
    """Seconds since the oldest of them was made: whoever took a job before that has gone, or has lost its connection."""
    longest_idle_s: int = 0
    """Idle time of the quietest blocking connection, in seconds: far above 10 s is a busy or hung worker."""


class LockSureness(StrEnum):
    """How a lock duration was told."""

    EXACT = "exact"
    """From a lock that had not been renewed yet: PTTL + age."""
    BOUNDS = "bounds"
    """From locks of any age: between the largest PTTL and what the renewal rhythm allows."""


@dataclass(frozen=True, slots=True)
class LockFact:
    """`lockDuration` as live locks show it: between `low_ms` and `high_ms`, equal (± 20 ms) where exact."""

    low_ms: int
    high_ms: int
    sureness: LockSureness
    job_id: str
    """The job whose lock was read."""


@dataclass(frozen=True, slots=True)
class JobMetrics:
    """`metrics:completed` or `metrics:failed`: final outcomes since the worker option `metrics` is on."""

    count: int
    previous_ms: int | None
    """Last minute that was flushed; older than two minutes: no job ended since."""
    per_minute: tuple[int, ...] = ()
    """Jobs per minute, newest first, at most 60 points."""


@dataclass(frozen=True, slots=True)
class EventsWindow:
    """BullMQ's events stream: its length and, of the newest entries read, how many of each type."""

    length: int
    max_length: int | None
    """`opts.maxLenEvents` of the queue's meta; trimmed approximately."""
    read: int = 0
    """Entries that `types` counts: the newest."""
    read_from_ms: int | None = None
    last_ms: int | None = None
    types: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Durations:
    """Run times of sampled completed jobs, `finishedOn - processedOn`: the last attempt only."""

    jobs: int
    p50_ms: int
    p95_ms: int
    p99_ms: int
    max_ms: int
    longest_job: str
    """Id of the longest."""


@dataclass(frozen=True, slots=True)
class Stalls:
    """Signs that jobs lost their lock."""

    events: int = 0
    """`stalled` entries among the events read."""
    completed: tuple[str, ...] = ()
    """Sampled completed jobs with a stalled counter: processed twice."""
    failed: tuple[str, ...] = ()
    """Sampled failed jobs with the libraries' text `job stalled more than allowable limit`."""
    orphans: tuple[str, ...] = ()
    """Ids in `active` without a lock at two looks: nobody works on them."""
    suspected: int = 0
    """Members of the `stalled` set: jobs that the next check would call stalled. Transient, no proof."""
    max_stalled_count: int | None = None
    """Exact, from the counters of jobs failed for it; None where no job shows it."""


@dataclass(frozen=True, slots=True)
class LiveQueue:
    """One queue in one logical database of one server."""

    endpoint: str
    """`Server.endpoint` it lies on."""
    db: int
    prefix: str
    name: str
    library: Library
    version: str
    """As meta says (`5.81.5`), written by the Queue object that started last; empty: not said, which means nothing."""
    era: str
    """What the key layout says: `bull`, `bullmq 1-3`, `bullmq 4`, `bullmq 5`, `bullmq 5-6`, `bullmq 6`; empty if nothing tells."""
    found_by: FoundBy
    counts: Counts
    paused: bool
    workers: QueueWorkers | Refused
    read_ms: int = 0
    """Server's clock at the first look; 0 where TIME is refused."""
    added: int | None = None
    """The id counter: jobs ever added; None also where so few are completed that it tells nothing."""
    stalled_check: bool = False
    """Whether a worker's check for stalled jobs was seen; one that is skipped leaves no key for an interval."""
    stalled_interval_ms: int | None = None
    """Interval of that check, ± 20 ms; None: no check was seen, or the clocks of worker and server differ."""
    unchecked_ms: int = 0
    """How long a check was waited for in vain, where one would have decided."""
    lock: LockFact | None = None
    held_at_once: int = 0
    """Most sampled active jobs whose locks one worker holds: a lower bound of its concurrency."""
    left_behind: int = 0
    """Sampled active jobs that were taken before the oldest live worker came: their locks live on until they expire."""
    metrics_completed: JobMetrics | None = None
    metrics_failed: JobMetrics | None = None
    events: EventsWindow | None = None
    oldest_waiting_ms: int | None = None
    """Time stamp (creation) of the job that is next in line."""
    oldest_completed_ms: int | None = None
    oldest_failed_ms: int | None = None
    oldest_active_ms: int | None = None
    """`processedOn` of the sampled active job that runs longest."""
    overdue_delayed_ms: int | None = None
    """How long the first delayed job is overdue; None: none is."""
    jobs: tuple[JobGroup, ...] = ()
    """Sampled jobs by job name; within a group the newest first."""
    sampling: Sampling = field(default_factory=Sampling)
    schedulers: tuple[Scheduler, ...] = ()
    durations: Durations | None = None
    stalls: Stalls = field(default_factory=Stalls)
    hits: tuple[Hit, ...] = ()
    """What the detectors of sensitive data found in sampled payloads."""
    global_concurrency: int | None = None
    rate_limit: tuple[int, int] | None = None
    """Global limit: (jobs, per ms)."""
    rate_limited_ms: int | None = None
    """Rest of the rate window that is open now."""
    lost_hashes: tuple[str, ...] = ()
    """Ids in state sets whose job hash is gone at two looks: evicted or deleted by hand."""
    notes: tuple[str, ...] = ()
    """What could not be read of this queue, and why; one line each."""
    refused: tuple[Refused, ...] = ()

    @property
    def label(self) -> str:
        """Its name as people know it; prefix and database only where they are not the default."""
        prefix = "" if self.prefix == "bull" else f"{self.prefix}:"
        return f"{prefix}{self.name}" + (f" (db {self.db})" if self.db else "")

    def key(self, suffix: str) -> str:
        """The Redis key `prefix:name:suffix`."""
        return f"{self.prefix}:{self.name}:{suffix}"

    def place(self, suffix: str = "") -> RedisPlace:
        """Where a reader finds that key; the queue itself without a suffix."""
        return RedisPlace(self.endpoint, self.key(suffix) if suffix else f"{self.prefix}:{self.name}")

    @property
    def code_since_ms(self) -> int | None:
        """Since when the code that runs now was surely there: the newest worker's start. None: no worker is seen."""
        if isinstance(self.workers, QueueWorkers) and self.workers.youngest_s is not None and self.read_ms:
            return self.read_ms - self.workers.youngest_s * 1000
        return None

    @property
    def sampled(self) -> tuple[SampledJob, ...]:
        """All sampled jobs, over all job names."""
        return tuple(job for group in self.jobs for job in group.jobs)


@dataclass(frozen=True, slots=True)
class LiveRedis(Snapshot):
    """All targets of the scan that answered."""

    source: ClassVar[str] = "live"

    servers: tuple[Server, ...]
    queues: tuple[LiveQueue, ...]
    report: SourceReport
    unreached: tuple[Unreached, ...] = ()
    """Targets that gave nothing though others did."""
    coverage: str = ""
    """How far discovery got, in words; empty: every key was seen."""

    @property
    def targets(self) -> tuple[RedisTarget, ...]:
        """The report's facts on each server."""
        return tuple(server.target for server in self.servers)

    def server(self, endpoint: str) -> Server:
        """The server of that endpoint; raises KeyError."""
        for server in self.servers:
            if server.endpoint == endpoint:
                return server
        raise KeyError(endpoint)
