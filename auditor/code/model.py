"""What code shows of a Bull/BullMQ system: queues, producers, workers, processes, with provenance.

The inventory prints these facts as they are, and probes judge them. Paths are relative to the `--code` folder
that they came from. Durations are in ms as the libraries take them, `age` in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from auditor.model import CodeSpan, Snapshot, TreeTarget

Json: TypeAlias = "bool | int | float | str | tuple[Json, ...] | Mapping[str, Json] | None"


class Library(StrEnum):
    """Which queue library a site uses, by import; Nest's wrappers count as the library beneath."""

    BULLMQ = "bullmq"
    BULL = "bull"
    BULLMQ_PRO = "bullmq-pro"


class OptionState(StrEnum):
    """How far an option could be resolved."""

    KNOWN = "known"
    ABSENT = "absent"
    VARIES = "varies"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Option:
    """One option as it reaches the library, under the library's own name."""

    state: OptionState
    value: Json = None
    """Set when KNOWN; an unresolved member inside a known object is None."""
    values: tuple[Json, ...] = ()
    """The values at the different call sites, when VARIES; None stands for one that is absent."""
    origin: CodeSpan | None = None
    """Where the value is written."""
    via: tuple[CodeSpan, ...] = ()
    """The way from there to the library call: spreads, wrappers, defaults."""
    why: str = ""
    """Why it is UNKNOWN, in a reader's words."""


ABSENT = Option(OptionState.ABSENT)


class Kind(StrEnum):
    """What a job is for; decides which items apply to it."""

    PAYMENT = "payment"
    REFUND = "refund"
    NFT = "nft"
    EMAIL = "email"
    TRANSFER = "transfer"
    QR = "qr"
    ANALYTICS = "analytics"
    CLEANUP = "cleanup"
    OTHER = "other"


class KindBy(StrEnum):
    """What decided a kind, strongest first."""

    CONFIG = "config"
    ROLES = "roles"
    NAMES = "names"
    NOTHING = "nothing"


class Role(StrEnum):
    """What a call means, by the catalogue."""

    PAYMENT_CREATE = "payment.create"
    PAYMENT_READ = "payment.read"
    REFUND_CREATE = "refund.create"
    EMAIL_SEND = "email.send"
    CHAIN_SEND = "chain.send"
    CHAIN_CONFIRM = "chain.confirm"
    CHAIN_READ = "chain.read"
    STORAGE_UPLOAD = "storage.upload"
    DB_READ = "db.read"
    DB_WRITE = "db.write"
    DB_UPSERT = "db.upsert"
    DB_INCREMENT = "db.increment"
    DB_TRANSACTION = "db.transaction"
    HTTP_READ = "http.read"
    HTTP_WRITE = "http.write"
    LOCK = "lock"
    LOG = "log"
    METRIC = "metric"
    NOTIFY = "notify"
    CPU = "cpu"
    CRYPTO = "crypto"
    ENQUEUE = "enqueue"


@dataclass(frozen=True, slots=True)
class Effect:
    """A call with a role that a handler reaches."""

    role: Role
    span: CodeSpan
    call: str
    """As a reader would write it: `stripe.paymentIntents.create`."""
    package: str = ""
    """npm package that the call belongs to."""
    path: tuple[CodeSpan, ...] = ()
    """From the handler to the function that makes the call."""
    order: int = 0
    """Position in source order along the handler's paths; smaller comes before."""
    arguments: tuple[Option, ...] = ()
    awaited: bool = True
    within: tuple[str, ...] = ()
    """Enclosing constructs, outermost first: `try`, `catch`, `finally`, `loop`, `if`, `transaction`."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An event listener on a worker, queue or QueueEvents; `event` is normalised (`global:failed` is `failed`)."""

    event: str
    span: CodeSpan
    on: str
    """`worker`, `queue` or `events`."""
    live: bool = True
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """What every library site has: where it is, whose it is, whether anything starts it."""

    span: CodeSpan
    library: Library
    version: str
    """Version or range by the governing package.json or lockfile; empty when unknown."""
    service: str
    live: bool
    """Reachable from an entry point; True as well where entry points can't be told."""
    symbol: str
    """Enclosing class and function, dotted; empty at module level."""


@dataclass(frozen=True, slots=True)
class Queue(Site):
    """A queue object: `new Queue`, Bull's constructor, Nest's registerQueue."""

    name: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    """Constructor options; job defaults under their own names with the prefix `defaultJobOptions.`."""


@dataclass(frozen=True, slots=True)
class Producer(Site):
    """A call that enqueues."""

    method: str = "add"
    queue: tuple[str, ...] = ()
    """Names it may enqueue into; empty when unknown."""
    job: str | None = None
    kind: Kind = Kind.OTHER
    kind_by: KindBy = KindBy.NOTHING
    options: Mapping[str, Option] = field(default_factory=dict)
    """Effective job options, over call, defaults, wrappers, templates. A missing key is absent."""
    job_id: bool | None = None
    """Whether the job or deduplication id is deterministic; None when absent or not known (see options)."""
    scheduler: Option | None = None
    """The scheduler's or repeatable's own id; None for a plain job."""
    repeats: bool = False
    via: tuple[CodeSpan, ...] = ()
    """Call sites of the wrappers that lead here."""
    data: Option = ABSENT
    """The data argument: a known object has null for what can't be resolved."""
    unserializable: tuple[tuple[str, str, CodeSpan], ...] = ()
    """(key path, what it is, where) of data members that JSON loses: Map, Buffer, function, BigInt, ..."""
    awaited: bool = True
    dead_letter: bool = False
    """Filled from a failure path into a queue that nobody consumes: exempt from items 1, 2, 4, 7."""


@dataclass(frozen=True, slots=True)
class Worker(Site):
    """A consumer: `new Worker`, Bull's process, Nest's processor class."""

    queue: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    """Job names it handles, where it tells them apart."""
    options: Mapping[str, Option] = field(default_factory=dict)
    """Effective options wherever written: constructor, Bull's `settings` and `process` number, decorator."""
    sandboxed: bool = False
    handler: CodeSpan | None = None
    handler_name: str = ""
    listeners: tuple[Listener, ...] = ()
    closed_on: tuple[str, ...] = ()
    """Signals that lead to an awaited close() of this worker."""
    forced_close: bool = False
    """`close(true)`."""
    kind: Kind = Kind.OTHER
    kind_by: KindBy = KindBy.NOTHING
    effects: tuple[Effect, ...] = ()
    """Calls with a role in reach of the handler, in order."""
    swallows: CodeSpan | None = None
    """A catch around the handler's work that neither rethrows nor records: `attempts` never come into play."""


@dataclass(frozen=True, slots=True)
class Process:
    """An entry point that starts workers or producers."""

    entry: CodeSpan
    service: str
    known: bool
    """False: guessed, since no start script or command names it."""
    starts_workers: bool
    serves_http: bool
    unhandled_rejection: tuple[CodeSpan, ...] = ()
    signals: Mapping[str, tuple[CodeSpan, ...]] = field(default_factory=dict)
    exits_first: CodeSpan | None = None
    """A listener on the same signal that calls process.exit before the close is awaited."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A Redis client or options object that queues or workers use."""

    span: CodeSpan
    used_by: tuple[str, ...]
    """`queue`, `worker`, `events`."""
    client: bool
    """An own client object, as opposed to plain options handed to the library."""
    live: bool
    service: str
    options: Mapping[str, Option] = field(default_factory=dict)
    per_call: bool = False
    """Built inside a request handler, job handler or loop."""


@dataclass(frozen=True, slots=True)
class CodeModel(Snapshot):
    """Everything that code shows."""

    source: ClassVar[str] = "code"

    trees: tuple[TreeTarget, ...]
    services: tuple[str, ...]
    entry_points_known: bool
    queues: tuple[Queue, ...]
    producers: tuple[Producer, ...]
    workers: tuple[Worker, ...]
    processes: tuple[Process, ...]
    connections: tuple[Connection, ...]
    libraries: Mapping[str, str] = field(default_factory=dict)
    """npm packages of interest with version or range, as the governing package.json says."""

    @property
    def empty(self) -> bool:
        """No Bull or BullMQ at all, living or dead."""
        return not (self.queues or self.producers or self.workers)
