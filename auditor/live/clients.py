"""CLIENT LIST: which queues and workers its names tell of."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from .model import QueueWorkers
from .server_model import Clients, RedisClient

_NAME = re.compile(r"(?P<prefix>.+?):(?P<b64>[A-Za-z0-9+/]+={0,2})(?::(?P<tail>w:.*|qe|qs))?")
_PLAIN = re.compile(r"(?P<prefix>[^:]+):(?P<queue>[^:]+)")
_SENTINEL = re.compile(r"sentinel-(?P<id>[0-9a-f]{8})-(?:cmd|pubsub)")
_BLOCKING = ("brpoplpush", "bzpopmin")
_BEGINNING = ("", "info", "client", "hello", "auth", "select", "cluster", "readonly", "ping", "null")
"""What a worker's connection has run before it first waits for a job."""


class Seat(StrEnum):
    """What a named connection is for."""

    WORKER = "worker"
    """BullMQ's blocking connection, Bull's `bclient`; Bull 3 names all three of its connections so."""
    LISTENER = "listener"
    """QueueEvents."""
    SCHEDULER = "scheduler"
    """BullMQ 1's QueueScheduler."""


@dataclass(frozen=True, slots=True)
class Holder:
    """What a connection's name says."""

    prefix: str
    queue: str
    seat: Seat
    worker: str = ""
    """Worker's own name."""
    plain: bool = False
    """The Python package's form, whose queue name is not encoded."""


def holder(client: RedisClient) -> Holder | None:
    """Read a name of Bull's or BullMQ's form: `bull:bWFpbA==`, `bull:bWFpbA==:w:eu-1`, `bull:mail` (Python)."""
    match = _NAME.fullmatch(client.name)
    queue = _decoded(match["b64"]) if match else ""
    if match and queue:
        tail = match["tail"] or ""
        seat = {"qe": Seat.LISTENER, "qs": Seat.SCHEDULER}.get(tail, Seat.WORKER)
        return Holder(match["prefix"], queue, seat, tail[2:] if tail.startswith("w:") else "")
    plain = _PLAIN.fullmatch(client.name)
    if plain and client.command in ("bzpopmin", "evalsha"):
        return Holder(plain["prefix"], plain["queue"], Seat.WORKER, plain=True)
    return None


def read(text: str, own_id: int | None) -> tuple[Clients, dict[str, int], int]:
    """Parse CLIENT LIST: clients without ours, connections by ACL user, distinct Sentinels."""
    hosts: Counter[str] = Counter()
    users: Counter[str] = Counter()
    named: list[RedisClient] = []
    sentinels: set[str] = set()
    nameless = 0
    for fields in _lines(text):
        if own_id is not None and fields.get("id") == str(own_id):
            continue
        client = _client(fields)
        hosts[client.host] += 1
        users[client.user] += 1
        if watcher := _SENTINEL.fullmatch(client.name):
            sentinels.add(watcher["id"])
        elif client.name and holder(client):
            named.append(client)
        nameless += not client.name and client.command in _BLOCKING
    users.pop("", None)
    return Clients(hosts.total(), dict(hosts), tuple(named), nameless), dict(users), len(sentinels)


def workers(mine: list[tuple[RedisClient, Holder]], *, certain: bool) -> QueueWorkers:
    """Count the live workers among the named connections of one queue."""
    seats = [(client, holder) for client, holder in mine if holder.seat is Seat.WORKER]
    plain = [client for client, holder in seats if holder.plain]
    encoded = [client for client, holder in seats if not holder.plain]
    listeners = sum(1 for _, holder in mine if holder.seat is Seat.LISTENER)
    # Bull 3 names all connections of a queue alike; who takes jobs blocks, who adds or listens runs other commands.
    # A worker's connection runs nothing else but what it began with; Dragonfly tells no command.
    others = [client for client in encoded if client.command not in (*_BLOCKING, *_BEGINNING)]
    held = [client for client in encoded if client not in others]
    bull3 = bool(others)
    if bull3:
        held = [client for client in held if client.command in _BLOCKING or "b" in client.flags]
    count = len(held)
    polling = [client for client in plain if client.command == "bzpopmin"]
    if plain:
        count += len(polling) or (len(plain) + 1) // 2
        held = held + (polling or plain)
    return QueueWorkers(
        count=count,
        hosts=tuple(sorted({client.host for client in held})),
        names=tuple(sorted({holder.worker for _, holder in seats if holder.worker})),
        listeners=listeners,
        certain=certain,
        youngest_s=min((client.age_s for client in held), default=None),
        oldest_s=max((client.age_s for client in held), default=None),
        longest_idle_s=max((client.idle_s for client in held), default=0),
    )


def _decoded(b64: str) -> str:
    try:
        raw = base64.b64decode(b64, validate=True)
        text = raw.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    same = base64.b64encode(raw).decode("ascii") == b64
    return text if same and text.isprintable() and not text.isspace() else ""


def _lines(text: str) -> Iterator[dict[str, str]]:
    for line in text.splitlines():
        if line:
            yield dict(part.partition("=")[::2] for part in line.split(" "))


def _client(fields: dict[str, str]) -> RedisClient:
    address = fields.get("addr", "")
    return RedisClient(
        name=fields.get("name", ""),
        host=address.rpartition(":")[0] or address,
        db=_int(fields.get("db", "0")),
        command=fields.get("cmd", "").partition("|")[0].lower(),
        flags=fields.get("flags", ""),
        age_s=_int(fields.get("age", "0")),
        idle_s=_int(fields.get("idle", "0")),
        user=fields.get("user", ""),
        library=fields.get("lib-name", ""),
    )


def _int(text: str) -> int:
    return int(text) if text.isdecimal() else 0
