"""What code shows of a Bull/BullMQ system: queues, producers, workers, processes, with provenance.

The inventory prints these facts as they are, and probes judge them. Paths are relative to the `--code` folder
that they came from. Durations are in ms as the libraries take them, `age` in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, TypeAlias

from auditor.gaps import Gap
from auditor.model import CodeSpan, Snapshot, TreeTarget

UNPARSED = "could not be parsed"
"""How the reason begins why a file that was read shows nothing."""
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
    PAYMENT_WEBHOOK = "payment.webhook"  # checks a provider's signature: stripe.webhooks.constructEvent
    SCHEDULE = "schedule"  # a clock outside of the queues that starts work: node-cron, @Cron, node-schedule
    CHAIN_NONCE = "chain.nonce"  # a nonce manager, getTransactionCount, a fresh blockhash, a durable nonce
    CHAIN_GAS = "chain.gas"  # estimateGas, simulateTransaction, fee data, compute-unit limits
    CHAIN_BALANCE = "chain.balance"
    EMAIL_RENDER = "email.render"
    EMAIL_BOUNCE = "email.bounce"  # reads a provider's bounce or complaint event
    VALIDATE = "validate"  # zod, joi, ajv, class-validator
    DELAY = "delay"  # moveToDelayed, DelayedError, rateLimit, RateLimitError
    RELEASE = "release"  # client.release(), queryRunner.release()
    ACQUIRE = "acquire"  # pool.connect(), createQueryRunner()
    CHECKPOINT = "checkpoint"  # job.updateData, job.update, updateProgress
    ENCRYPT = "encrypt"
    BOUND = "bound"  # AbortSignal.timeout, Promise.race with a timer, p-timeout
    CLIENT = "client"  # construction of an SDK, database, HTTP or RPC client
    FILE = "file"  # file system reads and writes
    REPORT = "report"  # Sentry and the like: a person sees it


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
    steps: tuple[str, ...] = ()
    """Names of the functions of `path`; empty where one has none."""
    calls: tuple[CodeSpan, ...] = ()
    """Where each step of `path` but the first is called."""
    order: int = 0
    """Position in source order along the handler's paths; smaller comes before."""
    run: int = 0
    """Which of the worker's handler functions makes it: no run of a job meets calls of two of them."""
    arguments: tuple[Option, ...] = ()
    awaited: bool = True
    within: tuple[str, ...] = ()
    """Enclosing constructs, outermost first: `try`, `catch`, `finally`, `loop`, `if`, `transaction`, of a log `listener` (to what
    happens to a connection); and branches that exclude others, as `auditor.code.reach.branches` names them."""
    timeout: Option | None = None
    """The bound in ms that holds for this call: its own, its client's or the SDK's default; ABSENT: none; None: not looked at."""
    key: Option | None = None
    """Idempotency key where the SDK wants it: value {"deterministic": bool or null, "parts": [...]} as for jobId; ABSENT: not
    passed; None: the SDK has no such parameter, or it was not looked at (`keyless` tells)."""
    scaled: bool | None = None
    """Of a gas estimate: whether a margin is added before it is used as the limit; None: that is not seen."""
    unchecked: tuple[str, ...] = ()
    """Of a schema's validation: fields that it lets through whatever they are: `z.any()`."""
    by_name: bool = False
    """Told by the call's name alone: its receiver could not be resolved."""
    address: Option | None = None
    """Of an upload that replaces what lies under the same name, that name: a value as for `key`; None: it replaces nothing."""
    keyless: bool = False
    """The SDK has no idempotency parameter (SendGrid, SES, Postmark, Mailgun, nodemailer, Braintree)."""
    keyed_by: tuple[str, ...] = ()
    """Values of the job that the arguments depend on: `job.id`, `job.data.orderId`."""
    guards: bool = False
    """Its result decides whether the handler goes on: early return, throw, or `if` around later effects."""
    decides_in: CodeSpan | None = None
    """The function that it makes return early; None beside `guards`: it throws, so that nothing after it runs."""
    open_rows: bool = False
    """A read that asks for rows that are still to be worked on: `where: { status: 'PENDING' }`."""
    hangs: tuple[CodeSpan, ...] = ()
    """Beside `guards`: the branches that run or don't by its result; empty: all that comes after it."""
    claims: bool = False
    """It takes the work for itself or fails: unique insert, ON CONFLICT, upsert, SET NX, lock."""
    failure: bool = False
    """A write whose arguments speak of a failure: `{ status: 'failed' }`, an error's message."""
    target: str = ""
    """What it is about: queue of an enqueue, table or model of a database call, host of an HTTP call."""
    job_id: bool = False
    """A log call that carries the job's id: field, template or child logger."""
    text: str = ""
    """What a log call prints, as written, without its values; the verb of an SQL write (`UPDATE`); empty for other roles."""
    sandboxed: bool = False
    """Runs off the event loop: worker thread, child process, sandboxed processor."""
    symbol: str = ""
    """Class and function that make the call, dotted."""
    client: CodeSpan | None = None
    """Where its client is built."""
    attached: tuple[str, ...] = ()
    """A mail: values of the job that its attachments' contents are: `job.data.pdf`."""


@dataclass(frozen=True, slots=True)
class Catch:
    """A catch clause (or `.catch`) in a handler's reach: what it tells apart and what it does."""

    span: CodeSpan
    tells: tuple[str, ...] = ()
    """Error classes, codes and message fragments it compares with: `StripeCardError`, `NONCE_EXPIRED`, `nonce too low`."""
    does: tuple[str, ...] = ()
    """`rethrow`, `unrecoverable`, `discard`, `record`, `notify`, `enqueue`, `delay`, `log`, `nothing`."""
    around: tuple[int, ...] = ()
    """`order` of the effects inside its try."""
    refuses: bool = False
    """A duplicate key ends the function: `if (error.code === 'P2002') return`."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition in a handler's reach: what it looks at, and whether it can stop the job."""

    span: CodeSpan
    names: tuple[str, ...]
    """Identifiers and property names in the condition, dotted as written: `payment.status`, `amount`, `outcome.risk_level`."""
    stops: bool
    """A branch returns, throws, continues a loop or delays the job."""
    values: tuple[str, ...] = ()
    """Strings that it compares with: `paid`."""
    compares: bool = False
    """It compares by size (`<`, `.gt(…)`), or asks a function."""
    marks: tuple[str, ...] = ()
    """What it looks at and the function sets further on: a mark of work that is done (`if (row.sentAt) continue`)."""
    order: int = 0
    """On the scale of `Effect.order`."""


@dataclass(frozen=True, slots=True)
class FlowChild:
    """A job of a flow beside its root, at any depth."""

    span: CodeSpan
    queue: tuple[str, ...] = ()
    job: str | None = None
    options: Mapping[str, Option] = field(default_factory=dict)
    job_id: bool | None = None


@dataclass(frozen=True, slots=True)
class Misuse:
    """Something that the library ignores, refuses or is harmed by; `rule` is a stable word for it."""

    rule: str
    """`limiter_on_queue`, `queue_per_call`, `spread_function`, `unawaited_add`, `two_libraries`, ..."""
    span: CodeSpan
    message: str
    live: bool
    queue: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """An SDK, HTTP, SMTP, database or RPC client object, where it is built."""

    span: CodeSpan
    package: str
    call: str
    """As a reader would write it: `nodemailer.createTransport`."""
    live: bool = True
    service: str = ""
    options: Mapping[str, Option] = field(default_factory=dict)
    timeout: Option | None = None
    """Its bound in ms, SDK defaults counted; ABSENT: none; None: not looked at."""
    per_call: bool = False
    """Built inside a handler or a request: one per job."""


class Quantity(StrEnum):
    """What a metric measures, decided by what feeds it, else by its name."""

    DEPTH = "depth"
    ACTIVE = "active"
    FAILED = "failed"
    DURATION = "duration"
    DEAD_LETTER = "dead_letter"
    WORKERS = "workers"
    REDIS_MEMORY = "redis_memory"
    STALLED = "stalled"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that code declares or publishes, or a board that shows it."""

    name: str
    span: CodeSpan
    quantity: Quantity
    kind: str
    """`gauge`, `counter`, `histogram`, `summary`, `endpoint`, `bullmq-export`, `worker-metrics`, `board`."""
    labels: tuple[str, ...] = ()
    """Label names; `*` among them where not all could be told."""
    fed_by: tuple[CodeSpan, ...] = ()
    """Living and dead places that set it; empty: declared, never set."""
    fed_live: bool = False
    served: CodeSpan | None = None
    """Where an endpoint or exporter gives out its registry; None: nowhere."""
    served_live: bool = False
    by_name: bool = False
    """The quantity was told from the name alone."""
    service: str = ""
    label_values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(label, every value that code gives it), for labels whose values are all known."""
    guarded: bool | None = None
    """A board: something that looks like authentication stands before it; None: not a board, or it can't be told."""


@dataclass(frozen=True, slots=True)
class Listener:
    """An event listener on a worker, queue or QueueEvents; `event` is normalised (`global:failed` is `failed`)."""

    event: str
    span: CodeSpan
    on: str
    """`worker`, `queue` or `events`."""
    live: bool = True
    effects: tuple[Effect, ...] = ()


def is_setting(name: str) -> bool:
    """Whether a queue's name is known as an environment variable alone: `${MAIL_QUEUE}`."""
    return "${" in name


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
    per_call: bool = False
    """Built inside a request handler, job handler or loop, and not kept."""


@dataclass(frozen=True, slots=True)
class Producer(Site):
    """A call that enqueues."""

    method: str = "add"
    queue: tuple[str, ...] = ()
    """Names it may enqueue into; empty when unknown."""
    queue_shapes: tuple[str, ...] = ()
    """Names that are known in part, `*` for the rest: `*-emails`."""
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
    data_keys: tuple[tuple[str, CodeSpan], ...] = ()
    """Every key path of the data argument that code shows, by literal, spread or declared type, with its place."""
    encrypted: tuple[str, ...] = ()
    """Key paths whose value is the result of an encrypt call."""
    public: tuple[str, ...] = ()
    """Key paths whose every value comes from what is public, or a digest, by its own name: `scope.publicKey`."""
    bulky: tuple[tuple[str, str, CodeSpan], ...] = ()
    """(key path, what it is, where) of data members that hold file contents, base64, buffers or attachments."""
    children: tuple[FlowChild, ...] = ()
    """The other jobs of a flow; each must satisfy the job items by itself."""
    unknown_options: tuple[tuple[str, CodeSpan], ...] = ()
    """Option names that the governing library does not have, with where they are written."""
    job_id_parts: tuple[str, ...] = ()
    """What the job id is made of, in a reader's words: `data.orderId`, `Date.now()`."""
    in_handler: bool = False
    """The call is in reach of a job handler or listener."""
    cases: tuple[Producer, ...] = ()
    """Where one call, in a wrapper, enqueues several jobs or into several queues: each of them by itself."""


@dataclass(frozen=True, slots=True)
class Worker(Site):
    """A consumer: `new Worker`, Bull's process, Nest's processor class."""

    queue: tuple[str, ...] = ()
    queue_shapes: tuple[str, ...] = ()
    """Names that are known in part, `*` for the rest: `*-emails`."""
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
    exits_first: CodeSpan | None = None
    """A `process.exit` in a signal's handler that comes before this worker's close() is awaited."""
    kind: Kind = Kind.OTHER
    kind_by: KindBy = KindBy.NOTHING
    effects: tuple[Effect, ...] = ()
    """Calls with a role in reach of the handler, in order."""
    swallows: CodeSpan | None = None
    """A catch around the handler's work that neither rethrows nor records: `attempts` never come into play."""
    followed: bool = False
    """Whether calls in reach of the handler were followed; False: `effects` say nothing about what it does not do."""
    lost: tuple[CodeSpan, ...] = ()
    """Calls in reach that could not be followed, where their role could matter."""
    loops: bool = False
    """The handler's reach holds a loop that is not bounded by a constant."""
    catches: tuple[Catch, ...] = ()
    tests: tuple[Condition, ...] = ()
    """Conditions in reach, in order: amount checks, risk levels, fee caps, status comparisons."""
    unknown_options: tuple[tuple[str, CodeSpan], ...] = ()
    jobs_by: str = ""
    """How it tells job names apart: `switch`, `process`, `map`, `if`; empty: it does not."""
    done_callback: bool = False
    """Bull: an async processor that also takes `done`."""
    provided: bool = True
    """Nest: some module's `providers` hold the processor class."""
    connection: CodeSpan | None = None
    """Where its Redis client or connection options are written."""
    bound: Option | None = None
    """The handler's own bound on its run in ms (AbortSignal.timeout, Promise.race with a timer, p-timeout); None: not looked at."""
    handlers: tuple[Worker, ...] = ()
    """Where one place builds workers for several handlers (`register(queue, handler)`): each of them by itself."""
    methods: tuple[CodeSpan, ...] = ()
    """Nest: the methods of a processor class, each with jobs of its own; `Effect.run` is a number of these."""


def is_named(site: Producer | Worker) -> bool:
    """Whether a site's queues are known by their names, and not by settings that may hold any."""
    return bool(site.queue) and not any(is_setting(name) for name in site.queue)


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
    workers: tuple[CodeSpan, ...] = ()
    """`span` of each worker it starts; empty when that could not be told apart from the rest of its service."""
    rejections_by: str = ""
    """What installs the rejection handler where it is an SDK's: `@sentry/node`."""
    serves_at: CodeSpan | None = None
    """Where it listens for application routes; health, readiness, metrics and queue boards are none."""
    one_off: bool = False
    """It ends by itself, as a migration does: it starts no workers that stay."""


class Retry(StrEnum):
    """What a connection does after it is lost."""

    DEFAULT = "default"  # nothing said: the library reconnects
    BOUNDED = "bounded"  # a strategy that always returns a delay with a ceiling
    UNBOUNDED = "unbounded"  # always a delay, but one that grows without ceiling
    STOPS = "stops"  # returns null, undefined or an Error on some path: gives up
    OFF = "off"  # reconnection turned off
    UNKNOWN = "unknown"


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
    retry: Retry = Retry.DEFAULT
    retry_at: CodeSpan | None = None
    """Where the retry strategy is written."""


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """A service as tt-audit.yaml names it; `code` is its folder, absolute or relative to the working folder."""

    name: str
    code: str
    queues: tuple[str, ...] = ()
    redis: str = ""


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A file that some start command runs; `path` is absolute, or relative to the repository."""

    service: str
    path: str
    line: int
    """Line in the file that starts it."""
    why: str
    """Who starts it: `Dockerfile:12 CMD`, `package.json scripts.start`."""
    runner: str = ""
    """The program that loads the file, where it handles signals on its own: `fastify-cli`."""


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
    clients: tuple[Client, ...] = ()
    metrics: tuple[Metric, ...] = ()
    metrics_known: bool = False
    """Whether published metrics were looked for; False: an empty `metrics` says nothing."""
    elsewhere: tuple[Effect, ...] = ()
    """Calls with a role that living code outside job handlers makes: webhooks, charges, bounce routes, schedulers."""
    elsewhere_known: bool = False
    entry_points: tuple[EntryPoint, ...] = ()
    misuses: tuple[Misuse, ...] = ()
    ended_early: bool = False
    """The deadline passed before everything was followed."""
    gaps: tuple[Gap, ...] = ()
    """Parts of the collector that broke."""

    @property
    def whole(self) -> bool:
        """Nothing broke and nothing was cut short: the same code shows the same again."""
        unparsed = (file for tree in self.trees for file in tree.files_skipped if file.why.startswith(UNPARSED))
        return not (self.ended_early or self.gaps or any(unparsed))

    @property
    def lost(self) -> Mapping[str, str]:
        """Fields that a broken part of the collector makes unreliable, with the reason.

        Where a whole file is lost, sites of which none was found are no absence.
        """
        found = {fact: gap.label() for gap in reversed(self.gaps) for fact in gap.facts}
        whole = next((gap for gap in self.gaps if not gap.facts), None)
        if whole is not None:
            sites = {"queues": self.queues, "producers": self.producers, "workers": self.workers}
            found |= {name: whole.label() for name, one in sites.items() if not one}
        return found

    @property
    def consumers(self) -> tuple[Worker, ...]:
        """The workers, each handler of a place that builds several by itself: what to ask what a job does."""
        return tuple(one for worker in self.workers for one in (worker.handlers or (worker,)))

    @property
    def jobs(self) -> tuple[Producer, ...]:
        """What is enqueued: each case of a call that enqueues several jobs by itself."""
        return tuple(one for producer in self.producers for one in (producer.cases or (producer,)))

    @property
    def certain(self) -> Mapping[str, object]:
        """What was found was found, however much is lost."""
        return {} if self.empty else {"empty": False}

    @property
    def empty(self) -> bool:
        """No Bull or BullMQ at all, living or dead."""
        return not (self.queues or self.producers or self.workers)
