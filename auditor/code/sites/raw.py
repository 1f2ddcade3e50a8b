"""Uses of a queue library as raw values, before queues, producers and workers are made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.code.evaluation.values import Frame, LibraryObject, Value
from auditor.code.sites import patches
from auditor.code.syntax.facts import Call


@dataclass(slots=True)
class Variant:
    """One way in which a producing call runs: in one calling context, for one element of a list."""

    target: LibraryObject
    job: Value
    data: Value
    options: list[Value]
    """Options objects, weakest first: queue defaults are not among them."""
    queue: Value
    scheduler: Value | None
    repeat: Value
    frame: Frame | None
    children: list[Variant] = field(default_factory=list)
    where: tuple[str, int] | None = None


@dataclass(slots=True)
class RawProducer:
    """A call that enqueues."""

    call: Call
    variants: list[Variant]


@dataclass(slots=True)
class RawQueue:
    """A `new Queue`, `Bull(...)`, or another library object that is no worker."""

    call: Call
    objects: list[LibraryObject]


@dataclass(slots=True)
class RawWorker:
    """A `new Worker`, or `queue.process`: `handlers` and `options` over all contexts."""

    call: Call
    library: str
    targets: list[LibraryObject]
    """The worker objects, or for Bull the queue objects."""
    handlers: list[Value]
    options: list[Value]
    jobs: list[Value]
    concurrency: list[Value]


@dataclass(slots=True)
class RawListener:
    """`target.on(event, handler)`."""

    call: Call
    event: str
    targets: list[LibraryObject]
    handler: Value


@dataclass(slots=True)
class RawClose:
    """`target.close(...)`."""

    call: Call
    targets: list[LibraryObject]
    forced: bool


@dataclass(slots=True)
class Sites:
    """All of them."""

    queues: list[RawQueue] = field(default_factory=list)
    producers: list[RawProducer] = field(default_factory=list)
    workers: list[RawWorker] = field(default_factory=list)
    listeners: list[RawListener] = field(default_factory=list)
    closes: list[RawClose] = field(default_factory=list)
    patches: list[patches.Patch] = field(default_factory=list)
