"""First look at a queue: counts and what else is there; the second step reads that, and nothing that is not.

Every command costs the server about 2 µs, mostly for reading it and writing the reply, and a scan may have thousands of
queues: nothing is asked twice, and nothing of a key that the first step shows to be empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .asking import Answers, Asking, whole
from .connection import Command, ReplyError
from .keys import META
from .model import Counts, JobMetrics, Library
from .server_model import Refused

_MINUTES = 60
_SCHEDULERS = 50
_COUNTED = 1000
"""Completed jobs from which on it matters how many were ever added."""


@dataclass(slots=True)
class Shared:
    """What the queues of one batch have in common."""

    sample: int = 60
    """Jobs to read of each."""
    each_state: bool = True
    """Whether one of each state is read even where that is more."""
    backwards: bool = False
    """Whether ZRANGE knows REV: it starts at the end at once, where a negative rank walks down the set."""
    now_ms: int = 0
    """The server's clock, asked once for all of them; 0 where it would not tell."""
    asked: bool = False
    measures: bool = True
    """Whether MEMORY USAGE gives sizes; some offerings and narrow users do without."""


@dataclass(frozen=True, slots=True)
class Known:
    """What discovery read of a queue already."""

    added: int | None = None
    meta: tuple[str | None, ...] = ()
    """Values of the fields `META`."""


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
    checked: bool
    """Whether the stalled check's key is there."""
    metered: bool
    """Whether the workers keep metrics."""
    gone: bool
    """The node that holds it can't be asked."""
    refused: list[Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_state(stem: str, known: Known, shared: Shared) -> Asking[State]:
    """Read it; `stem` is `prefix:queue:`."""
    meta = {name: value for name, value in zip(META, known.meta, strict=False) if value is not None}
    described = "opts.maxLenEvents" in meta or meta.get("version", "").startswith("bullmq")
    commands: dict[str, Command] = {}
    if not shared.asked:
        shared.asked = True
        commands["time"] = ("TIME",)
    # pausing writes both in one step, so that BullMQ's description tells of that list
    lists = ("wait", "active") if described and "paused" not in meta else ("wait", "paused", "active")
    commands |= {name: ("LLEN", f"{stem}{name}") for name in lists}
    commands |= {
        name: ("ZCARD", f"{stem}{name}")
        for name in ("prioritized", "delayed", "completed", "failed", "waiting-children", "repeat")
    }
    commands |= {
        "events": ("XLEN", f"{stem}events"),
        "check ttl": ("PTTL", f"{stem}stalled-check"),
        "metrics": ("EXISTS", f"{stem}metrics:completed", f"{stem}metrics:failed"),
    }
    if not meta.get("version"):  # else the description tells library and version, and Bull writes none
        commands |= {name: ("EXISTS", f"{stem}{name}") for name in ("meta-paused", "marker", "pc")}
    said = Answers(commands, (yield list(commands.values())))
    if "time" in commands:
        shared.now_ms = clock(said)
    return State(
        now_ms=shared.now_ms,
        counts=Counts(
            waiting=said.count("wait"),
            paused=said.count("paused"),
            prioritized=said.count("prioritized"),
            delayed=said.count("delayed"),
            active=said.count("active"),
            completed=said.count("completed"),
            failed=said.count("failed"),
            waiting_children=said.count("waiting-children"),
        ),
        added=known.added,
        meta=meta,
        paused="paused" in meta or said.count("meta-paused") > 0,
        library=_library(said, described=described),
        era=_era(said, meta),
        events=said.count("events"),
        repeats=said.count("repeat"),
        checked=said.count("check ttl") > 0,
        metered=said.count("metrics") > 0,
        gone=isinstance(waits := said.raw("wait"), ReplyError) and waits.code == "CLUSTERDOWN",
        refused=said.refused,
        notes=[f"{key} is not of the type that the library keeps there" for key in said.wrong],
    )


def ends(stem: str, state: State) -> dict[str, Command]:
    """The commands that read the ends of its lists and what else the first step found to be there."""
    counts, commands = state.counts, dict[str, Command]()
    if counts.waiting:
        commands["next"] = next_in_line(f"{stem}wait")
    if counts.depth or counts.delayed:
        commands["limiter ttl"] = ("PTTL", f"{stem}limiter")
    if state.added is None and counts.completed >= _COUNTED:
        commands["added"] = ("GET", f"{stem}id")
    if counts.active:
        commands["suspected"] = ("SCARD", f"{stem}stalled")
    if counts.delayed:
        commands["oldest delayed"] = ("ZRANGE", f"{stem}delayed", 0, 0, "WITHSCORES")
    if state.checked:
        commands |= checked(stem)
    if state.metered:
        for name in ("completed", "failed"):
            commands[f"metrics {name}"] = ("HMGET", f"{stem}metrics:{name}", "count", "prevTS")
            commands[f"minutes {name}"] = ("LRANGE", f"{stem}metrics:{name}:data", 0, _MINUTES - 1)
    if state.repeats:
        commands["repeat"] = ("ZRANGE", f"{stem}repeat", 0, _SCHEDULERS - 1, "WITHSCORES")
    return commands


def next_in_line(key: str) -> Command:
    """The ids that come next in the list `wait`, the next one last: three, since markers may lie among them."""
    return ("LRANGE", key, -3, -1)


def checked(stem: str) -> dict[str, Command]:
    """The commands for `interval`."""
    return {
        "time": ("TIME",),
        "check": ("GET", f"{stem}stalled-check"),
        "check ttl": ("PTTL", f"{stem}stalled-check"),
    }


def clock(said: Answers) -> int:
    """The reply to TIME in ms; 0 where it was refused."""
    seconds, micros = [*map(whole, said.items("time")), None, None][:2]
    return seconds * 1000 + micros // 1000 if seconds is not None and micros is not None else 0


def snap(milliseconds: int) -> int:
    """A measured duration at the round figure that it stands for, where it is within 50 ms of one."""
    near = round(milliseconds / 500) * 500
    return near if near and abs(near - milliseconds) <= 50 else milliseconds


def oldest(said: Answers, name: str) -> int | None:
    """The lowest score of a set whose first member was read."""
    pairs = said.items(f"oldest {name}")
    return whole(pairs[1]) if len(pairs) > 1 else None


def metrics(said: Answers, name: str) -> JobMetrics | None:
    """`metrics:completed` or `metrics:failed`, where the workers keep them."""
    count, previous = [*map(whole, said.items(f"metrics {name}")), None, None][:2]
    if count is None:
        return None
    return JobMetrics(count, previous, tuple(whole(point) or 0 for point in said.items(f"minutes {name}")))


def _library(said: Answers, *, described: bool) -> Library:
    if described or said.count("events") or said.count("marker"):
        return Library.BULLMQ
    return Library.BULL if said.count("meta-paused") else Library.UNKNOWN


def _era(said: Answers, meta: dict[str, str]) -> str:
    version = meta.get("version", "").partition(":")[2]
    if major := version.partition(".")[0]:
        return f"bullmq {major}"
    if said.count("marker"):
        return "bullmq 5-6"
    if said.count("pc") or said.count("prioritized"):
        return "bullmq 4-6"
    return ""


def interval(said: Answers) -> int | None:
    """The key holds the worker's time of writing and lives for one interval: PTTL + age is the interval."""
    written, ttl, now_ms = said.number("check"), said.count("check ttl"), clock(said)
    if written is None or ttl <= 0 or not now_ms:
        return None
    every = ttl + now_ms - written
    # outside of this the worker's clock differs from the server's
    return snap(every) if 500 <= every <= 3_600_000 and every >= ttl else None
