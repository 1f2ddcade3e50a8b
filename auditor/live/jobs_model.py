"""Sampled jobs as Redis holds them: options, sizes, times, detector hits; never a payload's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """The set or list that a job was found in."""

    WAITING = "waiting"
    PAUSED = "paused"
    PRIORITIZED = "prioritized"
    DELAYED = "delayed"
    ACTIVE = "active"
    COMPLETED = "completed"
    FAILED = "failed"
    WAITING_CHILDREN = "waiting-children"


@dataclass(frozen=True, slots=True)
class Backoff:
    """`opts.backoff`; a number given by the producer is stored as `fixed`."""

    type: str
    delay_ms: float | None
    jitter: float | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """`removeOnComplete` or `removeOnFail`: keep everything, nothing, or up to bounds (the library applies both)."""

    keep_all: bool = False
    """`false`, or a negative count."""
    count: int | None = None
    """0: removed at once (`true`)."""
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Options stored with a job. None is absent: the library's default was in force."""

    attempts: float | None = None
    """BullMQ stores 0 where unset, Bull 1; scheduler-made jobs carry none where unset."""
    backoff: Backoff | None = None
    priority: float | None = None
    delay_ms: float | None = None
    timeout_ms: float | None = None
    """Enforced by Bull; stored and ignored by BullMQ."""
    remove_on_complete: Retention | None = None
    remove_on_fail: Retention | None = None
    job_id: str | None = None
    """The producer's own id."""
    deduplication_id: str | None = None
    lifo: bool = False
    size_limit: float | None = None
    repeat: bool = False
    unknown: tuple[str, ...] = ()
    """Keys that no library version reads: misspelt options."""


class Failure(StrEnum):
    """What a failed job's reason says, as far as the libraries themselves write it."""

    NONE = "none"
    STALLED = "stalled"
    """`job stalled more than allowable limit`."""
    TIMEOUT = "timeout"
    """Bull's `Promise timed out after N milliseconds`."""
    LOCK = "lock"
    """`Missing lock for job`, `could not renew lock`."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SampledJob:
    """One job as it lay in Redis."""

    id: str
    name: str
    state: State
    opts: JobOptions | None
    """None: the options are no JSON object."""
    data_bytes: int
    timestamp: int | None = None
    processed_on: int | None = None
    finished_on: int | None = None
    attempts_made: int | None = None
    stalled_count: int = 0
    result_bytes: int = 0
    stack_bytes: int = 0
    failure: Failure = Failure.NONE
    scheduler: str = ""
    """Key of the scheduler or repeatable that made it; empty for a producer's job."""
    child: bool = False
    """Child of a flow."""
    data_parses: bool | None = True
    """Whether `data` is JSON; None: too large to be read."""
    worker: str = ""
    """Name of the worker that took it (`pb`)."""

    @property
    def run_ms(self) -> int | None:
        """Time of the last attempt; None where it did not end or the clocks disagree."""
        if self.processed_on is None or self.finished_on is None or self.finished_on < self.processed_on:
            return None
        return self.finished_on - self.processed_on


@dataclass(frozen=True, slots=True)
class JobGroup:
    """Sampled jobs of one name; the newest first, by time stamp."""

    name: str
    jobs: tuple[SampledJob, ...]

    @property
    def newest(self) -> tuple[SampledJob, ...]:
        """The jobs that options are judged by: the 20 newest that a producer or scheduler made."""
        return self.jobs[:20]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How many jobs were read of how many, by state. The sample is biased to survivors: removed jobs leave no trace."""

    taken: Mapping[State, int] = field(default_factory=dict)
    of: Mapping[State, int] = field(default_factory=dict)

    def label(self) -> str:
        """`70 of 1,200,000 jobs`."""
        return f"{sum(self.taken.values()):,} of {sum(self.of.values()):,} jobs"


@dataclass(frozen=True, slots=True)
class Scheduler:
    """A job scheduler or repeatable."""

    key: str
    job: str
    """Name of the jobs it makes; empty where the layout does not tell."""
    next_ms: int | None
    """When it is due next; in the past: nothing runs it."""
    every_ms: float | None = None
    pattern: str = ""
    template: JobOptions | None = None
    """Options that its jobs get; None where the layout keeps none."""
    legacy: bool = False
    """A repeatable of the old form (`name:::…`), which BullMQ 6 refuses."""


class Sensitive(StrEnum):
    """What a detector found."""

    SECRET_KEY = "key name of a secret"
    CARD = "card number"
    CARD_SECURITY = "card security code"
    TRACK = "card track data"
    PRIVATE_KEY = "private key"
    PROVIDER_KEY = "provider's secret key"
    TOKEN = "bearer token"
    NATIONAL_ID = "national id"

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return {"key name of a secret": "secret"}.get(self.value, self.value)

    @property
    def pci(self) -> bool:
        """Card data, in scope of PCI DSS."""
        return self in (Sensitive.CARD, Sensitive.CARD_SECURITY, Sensitive.TRACK)


@dataclass(frozen=True, slots=True)
class Hit:
    """A detector's hits on one key path of one job name; array indexes are folded to `[]`."""

    kind: Sensitive
    job: str
    """Job name."""
    field: str
    """`data`, `returnvalue`, `failedReason`, `stacktrace`; `id` and `name` of the job itself."""
    path: str
    """Key path inside the field, `user.card.number`; empty where the field is plain text."""
    jobs: int
    """Sampled jobs in which it was found."""
    example: str
    """Id of one of them."""
    shape: str
    """Type and length, and the last two characters at most: `string of 16, …42`."""
