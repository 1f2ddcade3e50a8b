"""Finding the queues: names of clients, random keys, a SCAN within the budget, and names known from code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from .asking import whole
from .clients import Holder
from .connection import Asker, Command, Connection, Reply, ReplyError
from .keys import META, PROOF, candidates, split_meta
from .model import FoundBy
from .pace import Pace
from .refusals import refused
from .server_model import Refused
from .state import Known

_RANDOM = 300
_SMALL = 10_000
"""Keys that a few SCAN calls walk over: nothing needs to be found before."""
_AT_ONCE = 200
_MISSES = 300
_COUNT_MIN, _COUNT_MAX = 200, 2000


@dataclass(frozen=True, slots=True)
class Name:
    """A queue that exists in the database of the connection."""

    prefix: str
    queue: str

    @property
    def stem(self) -> str:
        """What its keys begin with: `bull:mail:`."""
        return f"{self.prefix}:{self.queue}:"


@dataclass(slots=True)
class Discovery:
    """What was found so far, and what keeps it from being complete."""

    found: dict[Name, FoundBy] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    """What was read on the way, by the queues' stems."""
    refused: list[Refused] = field(default_factory=list)
    coverage: str = ""
    """Why some queues may be missing; empty: every key was seen."""
    asked: set[Name] = field(default_factory=set)
    walked: int = 0
    """Keys that SCAN went over, roughly."""
    trusted: set[str] = field(default_factory=lambda: {"bull"})
    """Prefixes that a client or a queue's own description vouches for."""
    plain: set[Name] = field(default_factory=set)
    """Names that clients bear as Python's package gives them: `bull:mail`, which may be anybody's `app:worker`."""
    prefixes: set[str] = field(default_factory=set)
    """Prefixes of the queues found."""
    misses: Counter[str] = field(default_factory=Counter)
    """Names that were no queue's, by prefix."""


def discover(
    asker: Asker,
    result: Discovery,
    *,
    held: Iterable[Holder],
    keys: int | None,
    names: Callable[[], Collection[str]],
) -> None:
    """Find the queues of the database in use, into `result`, which keeps what it has when the run ends early.

    `held`: what clients' names tell. `keys`: how many the database holds, None where the server did not say. `names` is
    called last, since it may wait for the code to be read.
    """
    seen = [(Name(each.prefix, each.queue), each.plain) for each in held]
    result.plain = {name for name, plain in seen if plain} - {name for name, plain in seen if not plain}
    _confirm(asker, result, [name for name, _ in seen], FoundBy.CLIENTS)
    if asker.meter.budget.keys == 0:
        result.coverage = "keys were not scanned, as asked; queues without a live worker may be missing"
        keys = 0
    if keys is None or keys > _SMALL:
        _confirm(asker, result, _random(asker, result), FoundBy.RANDOM)
    if keys is None or keys:
        for node in asker.nodes:
            _scan(asker, node, result, keys)
    _confirm(asker, result, _from_code(names(), result), FoundBy.CODE)


def _from_code(names: Collection[str], result: Discovery) -> list[Name]:
    """Names as code writes them may hold a prefix, or, in old versions, colons of their own."""
    wanted = []
    for name in names:
        prefix, _, queue = name.rpartition(":")
        wanted += [Name(known, name) for known in sorted(result.trusted)]
        wanted += [Name(prefix, queue)] if prefix and queue else []
    return wanted


def _random(asker: Asker, result: Discovery) -> list[Name]:
    drawn: dict[Name, None] = {}
    for node in asker.nodes:
        for reply in node.run([("RANDOMKEY",)] * _RANDOM):
            if isinstance(reply, ReplyError):
                result.refused.append(refused(("RANDOMKEY",), reply))
                break
            if isinstance(reply, str):
                drawn |= {Name(*pair): None for pair in candidates(reply)}
    return list(drawn)


def _scan(asker: Asker, node: Connection, result: Discovery, keys: int | None) -> None:
    """One pass for `:id` and `:meta`: every library and version writes the first with its first job."""
    cursor, count, meter = "0", 1000, asker.meter
    while True:
        reply = node.one("SCAN", cursor, "MATCH", "*:[im][de]*", "COUNT", count)
        match reply:
            case [str(following), list(page)]:
                cursor = following
            case _:
                why = (
                    refused(("SCAN",), reply)
                    if isinstance(reply, ReplyError)
                    else Refused("SCAN", "the reply has an unknown form")
                )
                result.refused.append(why)
                result.coverage = f"keys were not scanned ({why.label()}); queues without a live worker may be missing"
                return
        meter.scanned(count if keys is None else min(count, max(keys - result.walked, 0)))
        result.walked += count
        _confirm(
            asker,
            result,
            [Name(*pair) for key in page if isinstance(key, str) and (pair := split_meta(key))],
            FoundBy.SCAN,
        )
        if cursor == "0":
            return
        if meter.keys_scanned >= meter.budget.keys:
            of = f" of {keys:,}" if keys is not None else ""
            result.coverage = f"the scan for queues stopped at its budget, after about {meter.keys_scanned:,}{of} keys; some queues may be missing"
            return
        count = _adapt(count, node.pace)


def _adapt(count: int, pace: Pace) -> int:
    """Keep what a SCAN call takes in the server near 2 ms; on a long way to it a few ms are the way's own."""
    if pace.beyond > max(0.004, pace.way / 4):
        return max(count // 2, _COUNT_MIN)
    return min(count * 2, _COUNT_MAX) if pace.beyond < max(0.001, pace.way / 10) else count


def _confirm(asker: Asker, result: Discovery, names: Iterable[Name], by: FoundBy) -> None:
    # a name that code knows needs less proof than a name that only looks like a queue's
    known = result.found if by is FoundBy.CODE else result.asked
    fresh = [name for name in dict.fromkeys(names) if name not in known and not _others(result, name, by)]
    result.asked.update(fresh)
    for start in range(0, len(fresh), _AT_ONCE):
        some = fresh[start : start + _AT_ONCE]
        metas = asker.run(("HMGET", f"{name.stem}meta", *META) for name in some)
        facts = [_Facts(name, meta) for name, meta in zip(some, metas, strict=True)]
        # BullMQ's own description is proof enough; Bull writes none
        counted = [each for each in facts if not _described(each.meta)]
        counters = asker.run(("GET", f"{each.name.stem}id") for each in counted)
        for each, counter in zip(counted, counters, strict=True):
            each.counter = counter
        _note_refusals(result, [*(("GET", counter) for counter in counters[:1]), ("HMGET", metas[0])])
        for each in facts:
            if _says_so(each.name, result, by) or _described(each.meta):
                result.trusted.add(each.name.prefix)
        # most are told by now; the states of the others may tell
        unsure = [each for each in facts if _is_queue(each, result, by) is None]
        asked: list[Command] = [("EXISTS", *(f"{each.name.stem}{suffix}" for suffix in PROOF)) for each in unsure]
        for each, states in zip(unsure, asker.run(asked) if asked else [], strict=True):
            each.in_use = isinstance(states, int) and states > 0
        for each in facts:
            if _is_queue(each, result, by):
                _keep(result, each.name, by)
                result.known[each.name.stem] = Known(whole(each.counter), _texts(each.meta))
                result.prefixes.add(each.name.prefix)
            else:
                result.misses[each.name.prefix] += 1


def _others(result: Discovery, name: Name, by: FoundBy) -> bool:
    """Whether keys of that prefix are another application's: hundreds of `user:7:id`, and never a queue among them."""
    guessed = by in (FoundBy.RANDOM, FoundBy.SCAN)
    return guessed and result.misses[name.prefix] >= _MISSES and name.prefix not in result.prefixes | result.trusted


@dataclass(slots=True)
class _Facts:
    name: Name
    meta: Reply
    counter: Reply = None
    """Its id counter, where the description did not tell."""
    in_use: bool | None = None
    """Whether it has a key of any state; None: not asked."""


def _note_refusals(result: Discovery, replies: Iterable[tuple[str, Reply]]) -> None:
    """Rights that this user lacks for all queues; one that it may not read is another's."""
    for command, reply in replies:
        if isinstance(reply, ReplyError) and (why := refused((command,), reply)).grant.startswith("+"):
            result.refused += [why] if why not in result.refused else []


def _texts(reply: Reply) -> tuple[str | None, ...]:
    return tuple(part if isinstance(part, str) else None for part in reply) if isinstance(reply, list) else ()


def _keep(result: Discovery, name: Name, by: FoundBy) -> None:
    """One entry for the same keys: `bull` + `a:b` and `bull:a` + `b` differ in reading alone, and code knows which."""
    twin = (
        next((other for other in result.found if other.stem == name.stem), None)
        if ":" in name.stem[:-1].partition(":")[2]
        else None
    )
    if twin is None:
        result.found[name] = by
    elif by is FoundBy.CODE and twin != name:
        result.found[name] = result.found.pop(twin)


def _is_queue(facts: _Facts, result: Discovery, by: FoundBy) -> bool | None:
    """Whether the name is a queue's; None: its states have to be asked for."""
    if _says_so(facts.name, result, by):
        return True
    likely = (isinstance(facts.counter, str) and facts.counter.isdecimal()) or _described(facts.meta)
    if by in (FoundBy.CODE, FoundBy.CLIENTS):
        return True if likely else facts.in_use
    # a drained queue may keep its counter alone; other applications' `user:7:id` must not count
    return likely and (facts.name.prefix in result.trusted or facts.in_use)


def _says_so(name: Name, result: Discovery, by: FoundBy) -> bool:
    """Whether a live worker or listener names it in a form that only the libraries write."""
    return by is FoundBy.CLIENTS and name not in result.plain


def _described(meta: Reply) -> bool:
    """BullMQ's own description: Bull writes none, and other applications' `post:7:meta` has other fields."""
    match meta:
        case [version, events, *_]:
            return isinstance(events, str) or (isinstance(version, str) and version.startswith("bullmq"))
    return False
