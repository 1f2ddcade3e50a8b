"""Reading sampled jobs: sizes first, then only the fields that are small enough.

MEMORY USAGE tells with one command whether a whole job is small, and nearly all are. Where it tells of a large one, or
may not be asked, HSTRLEN measures field by field.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from . import detectors
from .asking import Asking, whole
from .cards import without_cards
from .connection import Command, Reply, ReplyError
from .jobs_model import Failure, Hit, JobGroup, SampledJob, Sensitive, State
from .options import Raw, decode, options
from .refusals import refused
from .server_model import Refused
from .state import Shared

FIELD_LIMIT = 65_536
"""Largest field that is read, in bytes; larger ones count by their size alone."""
QUEUE_LIMIT = 2_000_000
"""Payload bytes that are read of one queue."""

_PLAIN = (
    "name",
    "timestamp",
    "processedOn",
    "finishedOn",
    "atm",
    "attemptsMade",
    "stc",
    "stalledCounter",
    "rjk",
    "parentKey",
    "pb",
)
_PAYLOADS = ("data", "returnvalue", "failedReason", "stacktrace")
_SAMPLES = 64
"""Fields that MEMORY USAGE looks at: more than any job has, and a bound where the key is something else."""
_STALLED = "job stalled more than allowable limit"


@dataclass(slots=True)
class Sample:
    """Jobs that were read, and what came along."""

    jobs: list[SampledJob] = field(default_factory=list)
    hits: list[Hit] = field(default_factory=list)
    lost: list[tuple[State, str]] = field(default_factory=list)
    """Ids without a hash, at the first look."""
    bull: bool = False
    """Options of Bull's form: it alone stores `timestamp` in them."""
    era: str = ""
    refused: list[Refused] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    """Ids as Redis holds them, of jobs that are shown by another."""


@dataclass(slots=True)
class _Row:
    state: State
    id: str
    small: bool = False
    """All its fields together are small."""
    sizes: dict[str, int] = field(default_factory=dict)
    """Bytes of the options and of the payload fields that the state may have."""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[str, ...]:
        """The fields whose size matters."""
        return ("opts", *_payloads(self.state))


_Hits: TypeAlias = dict[tuple[Sensitive, str, str, str], list[tuple[str, str]]]


def read_jobs(stem: str, ids: Sequence[tuple[State, str]], shared: Shared) -> Asking[Sample]:
    """Read the jobs of these ids; payload values never leave this function."""
    sample = Sample()
    rows = [_Row(state, job) for state, job in ids]
    spent = yield from _weigh(stem, rows, shared)
    yield from _measure(stem, [row for row in rows if not row.small], sample)
    commands: list[Command] = []
    read: list[tuple[str, ...]] = []
    for row in rows:
        wanted = list(row.asked) if row.small else []
        for name, length in row.sizes.items():
            cost = 0 if name == "opts" else length
            if length <= FIELD_LIMIT and spent + cost <= QUEUE_LIMIT:
                wanted.append(name)
                spent += cost
        read.append((*_PLAIN, *wanted))
        commands.append(("HMGET", f"{stem}{row.id}", *read[-1]))
    replies = (yield commands) if commands else []
    hits: _Hits = defaultdict(list)
    for row, names, reply in zip(rows, read, replies, strict=True):
        if not isinstance(reply, list):
            _refuse(sample, ("HMGET",), reply)
            continue
        row.fields = {name: value for name, value in zip(names, reply, strict=False) if isinstance(value, str)}
        if row.fields:
            _take(sample, hits, row)
        else:
            sample.lost.append((row.state, row.id))
    sample.hits = [
        Hit(kind, name, where, path, len(seen), *seen[0]) for (kind, name, where, path), seen in hits.items()
    ]
    return sample


def groups(jobs: Sequence[SampledJob]) -> tuple[JobGroup, ...]:
    """Jobs by name, the newest first; groups in the order of their names."""
    by_name: dict[str, list[SampledJob]] = defaultdict(list)
    for job in jobs:
        by_name[job.name].append(job)
    return tuple(
        JobGroup(name, tuple(sorted(by_name[name], key=lambda job: -(job.timestamp or 0)))) for name in sorted(by_name)
    )


def clean(text: str) -> str:
    """Text for the model: bytes that were no UTF-8 as `\\xff`, so that every renderer can write it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shown(text: str) -> str:
    """An id or a name for the model: clean, and without card numbers."""
    return without_cards(clean(text))


def _weigh(stem: str, rows: Sequence[_Row], shared: Shared) -> Asking[int]:
    """Tell the small jobs; gives the bytes that reading them takes at the most."""
    spent = 0
    if not rows or not shared.measures:
        return spent
    replies = yield [("MEMORY", "USAGE", f"{stem}{row.id}", "SAMPLES", _SAMPLES) for row in rows]
    for row, reply in zip(rows, replies, strict=True):
        if isinstance(reply, ReplyError):
            shared.measures = False  # refused, or not known here: nothing is lost by it
            break
        weight = reply if isinstance(reply, int) else 0  # nothing of a job that is gone
        row.small = weight <= FIELD_LIMIT and spent + weight <= QUEUE_LIMIT
        spent += weight if row.small else 0
    return spent


def _measure(stem: str, rows: Sequence[_Row], sample: Sample) -> Asking[None]:
    asked = [(row, name) for row in rows for name in row.asked]
    commands: list[Command] = [("HSTRLEN", f"{stem}{row.id}", name) for row, name in asked]
    for (row, name), reply in zip(asked, (yield commands) if commands else [], strict=True):
        if not isinstance(reply, int):
            _refuse(sample, ("HSTRLEN",), reply)
        # what can't be measured is not read
        row.sizes[name] = reply if isinstance(reply, int) else FIELD_LIMIT + 1


def _payloads(state: State) -> tuple[str, ...]:
    match state:
        case State.COMPLETED:
            return ("data", "returnvalue")
        case State.FAILED | State.ACTIVE:
            return _PAYLOADS
        case State.DELAYED:  # a retry waits here with the reason of its last failure
            return ("data", "failedReason", "stacktrace")
        case _:
            return ("data",)


def _take(sample: Sample, hits: _Hits, row: _Row) -> None:
    job, name = shown(row.id), shown(row.fields.get("name", ""))
    if job != row.id:
        sample.ids[job] = row.id
    for where, given in (("id", row.id), ("name", row.fields.get("name", ""))):
        for hit in detectors.in_name(given):
            hits[hit.kind, name, where, ""].append((job, hit.shape))
    if row.small:
        row.sizes = {field: _bytes(row.fields.get(field, "")) for field in row.asked}
    parses: bool | None = None
    for where in _PAYLOADS:
        if (text := row.fields.get(where)) is None:
            continue
        valid, found = (False, detectors.in_text(text)) if where == "failedReason" else detectors.in_json(text)
        parses = valid if where == "data" else parses
        for hit in found:
            hits[hit.kind, name, where, hit.path].append((job, hit.shape))
    raw = decode(row.fields.get("opts")) if row.sizes.get("opts", 0) <= FIELD_LIMIT else None
    if raw is not None and "timestamp" in raw:
        sample.bull = True
    if {"atm", "stc"} & set(row.fields):
        sample.era = "bullmq 5-6"
    sample.jobs.append(_job(row, job, name, raw, parses))


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def _job(row: _Row, job: str, name: str, raw: Raw | None, parses: bool | None) -> SampledJob:
    fields = row.fields
    return SampledJob(
        id=job,
        name=name,
        state=row.state,
        opts=None if raw is None else options(raw),
        data_bytes=row.sizes.get("data", 0),
        timestamp=whole(fields.get("timestamp")),
        processed_on=whole(fields.get("processedOn")),
        finished_on=whole(fields.get("finishedOn")),
        attempts_made=whole(fields.get("atm", fields.get("attemptsMade"))),
        stalled_count=whole(fields.get("stc", fields.get("stalledCounter"))) or 0,
        result_bytes=row.sizes.get("returnvalue", 0),
        stack_bytes=row.sizes.get("stacktrace", 0),
        failure=_failure(fields.get("failedReason", ""), row.state),
        scheduler=shown(fields.get("rjk", "")) or (job.split(":")[1] if job.startswith("repeat:") else ""),
        child="parentKey" in fields,
        data_parses=parses,
        worker=clean(fields.get("pb", "")),
    )


def _failure(reason: str, state: State) -> Failure:
    if state is not State.FAILED:
        return Failure.NONE
    if _STALLED in reason:
        return Failure.STALLED
    if reason.startswith("Promise timed out after"):
        return Failure.TIMEOUT
    lowered = reason.lower()
    return Failure.LOCK if "missing lock for job" in lowered or "could not renew lock" in lowered else Failure.OTHER


def _refuse(sample: Sample, command: Command, reply: Reply) -> None:
    if isinstance(reply, ReplyError) and reply.code != "WRONGTYPE" and not sample.refused:
        sample.refused.append(refused(command, reply))
