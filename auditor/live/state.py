"""First look at a queue: counts, meta, timers, metrics, the ends of its lists."""

from __future__ import annotations

from dataclasses import dataclass, field

from .asking import Answers, Asking, whole
from .connection import Command
from .model import Counts, JobMetrics, Library
from .server_model import Refused

_META = ("version", "opts.maxLenEvents", "paused", "concurrency", "max", "duration")
_MANUAL = 9007199254740991
"""What BullMQ writes into `limiter` for a manual `rateLimit()`."""


@dataclass(slots=True)
class State:
    """What the first look gave; `now_ms` is the server's clock at it."""

    now_ms: int
    counts: Counts
    added: int | None
    meta: dict[str, str]
    paused: bool
    library: Library
    era: str
    events: int
    repeats: int
    stalled_interval_ms: int | None
    suspected: int
    next_waiting: str | None
    first_delayed: tuple[str, int] | None
    """(id, due in ms)."""
    oldest_completed_ms: int | None
    oldest_failed_ms: int | None
    rate_limited_ms: int | None
    metrics: dict[str, JobMetrics]
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _commands(stem: str) -> dict[str, Command]:
    lists = {name: ("LLEN", f"{stem}{name}") for name in ("wait", "paused", "active")}
    sets = {
        name: ("ZCARD", f"{stem}{name}")
        for name in ("prioritized", "delayed", "completed", "failed", "waiting-children", "repeat")
    }
    ends = {
        f"oldest {name}": ("ZRANGE", f"{stem}{name}", 0, 0, "WITHSCORES") for name in ("delayed", "completed", "failed")
    }
    return {
        "time": ("TIME",),
        "id": ("GET", f"{stem}id"),
        "meta": ("HMGET", f"{stem}meta", *_META),
        "meta-paused": ("EXISTS", f"{stem}meta-paused"),
        "marker": ("EXISTS", f"{stem}marker"),
        "pc": ("EXISTS", f"{stem}pc"),
        "events": ("XLEN", f"{stem}events"),
        "check": ("GET", f"{stem}stalled-check"),
        "check ttl": ("PTTL", f"{stem}stalled-check"),
        "suspected": ("SCARD", f"{stem}stalled"),
        "limiter ttl": ("PTTL", f"{stem}limiter"),
        "next": ("LRANGE", f"{stem}wait", -3, -1),
        "metrics completed": ("HMGET", f"{stem}metrics:completed", "count", "prevTS"),
        "metrics failed": ("HMGET", f"{stem}metrics:failed", "count", "prevTS"),
        **lists,
        **sets,
        **ends,
    }


def read_state(stem: str) -> Asking[State]:
    """Read it; `stem` is `prefix:queue:`."""
    commands = _commands(stem)
    said = Answers(commands, (yield list(commands.values())))
    meta = {name: value for name, value in zip(_META, said.items("meta"), strict=False) if value is not None}
    now_ms = clock(said)
    waiting = said.items("next")
    # BullMQ 3 and 4 put a marker `0:<ms>` among the waiting ids
    markers = sum(1 for job in waiting if job is not None and job.startswith("0:"))
    ids = [job for job in waiting if job is not None and not job.startswith("0:")]
    delayed = said.items("oldest delayed")
    due = whole(delayed[1]) if len(delayed) == 2 else None
    limiter = said.count("limiter ttl")
    return State(
        now_ms=now_ms,
        counts=Counts(
            waiting=max(said.count("wait") - markers, 0),
            paused=said.count("paused"),
            prioritized=said.count("prioritized"),
            delayed=said.count("delayed"),
            active=said.count("active"),
            completed=said.count("completed"),
            failed=said.count("failed"),
            waiting_children=said.count("waiting-children"),
        ),
        added=said.number("id"),
        meta=meta,
        paused="paused" in meta or said.count("meta-paused") > 0,
        library=_library(said, meta),
        era=_era(said, meta, markers),
        events=said.count("events"),
        repeats=said.count("repeat"),
        stalled_interval_ms=_interval(said, now_ms),
        suspected=said.count("suspected"),
        next_waiting=ids[-1] if ids else None,
        first_delayed=(delayed[0] or "", due // 4096) if due is not None else None,
        oldest_completed_ms=_oldest(said, "completed"),
        oldest_failed_ms=_oldest(said, "failed"),
        rate_limited_ms=limiter if limiter > 0 else None,
        metrics=_metrics(said),
        refused=said.refused,
        notes=[f"{key} is not of the type that the library keeps there" for key in said.wrong],
    )


def clock(said: Answers) -> int:
    """The reply to TIME in ms; 0 where it was refused."""
    seconds, micros = [*map(whole, said.items("time")), None, None][:2]
    return seconds * 1000 + micros // 1000 if seconds is not None and micros is not None else 0


def snap(milliseconds: int) -> int:
    """A measured duration at the round figure that it stands for, where it is within 25 ms of one."""
    near = round(milliseconds / 500) * 500
    return near if near and abs(near - milliseconds) <= 25 else milliseconds


def _library(said: Answers, meta: dict[str, str]) -> Library:
    if (
        "opts.maxLenEvents" in meta
        or meta.get("version", "").startswith("bullmq")
        or said.count("events")
        or said.count("marker")
    ):
        return Library.BULLMQ
    return Library.BULL if said.count("meta-paused") else Library.UNKNOWN


def _era(said: Answers, meta: dict[str, str], markers: int) -> str:
    version = meta.get("version", "").partition(":")[2]
    if major := version.partition(".")[0]:
        return f"bullmq {major}"
    if said.count("marker"):
        return "bullmq 5-6"
    if said.count("pc") or said.count("prioritized"):
        return "bullmq 4-6"
    if markers:
        return "bullmq 3-4"
    return ""


def _interval(said: Answers, now_ms: int) -> int | None:
    """The key holds the worker's time of writing and lives for one interval: PTTL + age is the interval."""
    written, ttl = said.number("check"), said.count("check ttl")
    if written is None or ttl <= 0 or not now_ms:
        return None
    interval = ttl + now_ms - written
    # outside of this the worker's clock differs from the server's
    return snap(interval) if 500 <= interval <= 3_600_000 and interval >= ttl else None


def _oldest(said: Answers, name: str) -> int | None:
    pair = said.items(f"oldest {name}")
    return whole(pair[1]) if len(pair) == 2 else None


def _metrics(said: Answers) -> dict[str, JobMetrics]:
    found = {}
    for name in ("completed", "failed"):
        count, previous = [*map(whole, said.items(f"metrics {name}")), None, None][:2]
        if count is not None:
            found[name] = JobMetrics(count, previous)
    return found
