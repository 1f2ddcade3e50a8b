"""Reading one target: a server, the primary that a Sentinel names, or every primary of a cluster."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from auditor.errors import SourceError

from . import second_look
from .acl import auditor_line, version
from .address import Address
from .asking import STOPPED, together
from .clients import Holder, holder, workers
from .cluster import Cluster
from .connection import Asker, LostError, ReplyError
from .cost import ServerTime
from .discovery import Discovery, Name, discover
from .events import read_events
from .login import Session, login, said
from .meter import BudgetSpentError, Meter
from .model import LiveQueue, QueueWorkers
from .queues import Answer, Question, read_queue
from .sampling import of_a_queue
from .sentinel import find_primary
from .server import read_server
from .server_model import Clients, RedisClient, Refused, SentinelView, Server, Unreached
from .state import Known, Shared

_TOGETHER = 32
_FAILOVER_S = 15.0
"""How long Sentinels may take to promote a replica while the scan waits."""
_FIXED, _PER_JOB = 32, 5
"""Commands that a queue costs, and each sampled job of it; rounded up."""

Names = Callable[[], Collection[str]]
_Seated = list[tuple[RedisClient, Holder]]


@dataclass(slots=True)
class Target:
    """What was read of one target."""

    servers: list[Server]
    queues: list[LiveQueue] = field(default_factory=list)
    coverage: list[str] = field(default_factory=list)
    unreached: list[Unreached] = field(default_factory=list)
    stopped: Exception | None = None
    clustered: bool = False
    server_seconds: float | None = None
    """Time that the scan took of the servers, by their own count."""
    blind: bool = False
    """One node of a cluster whose others can't be seen."""


def read_target(address: Address, meter: Meter, names: Names) -> Target:
    """Read it; raises SourceError where it gives nothing. What ends it early later on stays in `stopped`.

    Where Sentinels lead to a primary that is lost on the way, they are asked for the next one, and all is read again.
    """
    target = _read_once(address, meter, names)
    if address.sentinels and isinstance(target.stopped, LostError):
        return _after_failover(address, meter, names, target)
    return target


def _after_failover(address: Address, meter: Meter, names: Names, lost: Target) -> Target:
    before, until = lost.servers[0].endpoint, time.monotonic() + min(_FAILOVER_S, meter.left)
    while time.monotonic() < until:
        time.sleep(0.5)
        try:
            primary, _ = find_primary(address, meter)
            if primary.endpoint == before:
                continue
            target = _read_once(address, meter, names)
        except (SourceError, BudgetSpentError):
            continue
        target.coverage.insert(0, f"{before} was lost during the scan; all was read again from {primary.endpoint}")
        return target
    return lost


def _read_once(address: Address, meter: Meter, names: Names) -> Target:
    try:
        view: SentinelView | None = None
        if address.sentinels:
            address, view = find_primary(address, meter)
        session, spent = login(address, meter), ServerTime(meter)
        asker: Asker = session.connection
        try:
            spent.begin(session.connection)
            target = Target([_seen_by(view, read_server(session))])
            asker = _all_primaries(session, target, spent)
            _read_databases(asker, target, address, names)
            target.server_seconds = spent.seconds()
        finally:
            asker.close()
    except LostError as error:
        raise SourceError(
            f"{address.endpoint}: {error}", "the server went away while its first facts were read"
        ) from None
    except BudgetSpentError as error:
        raise SourceError(f"{address.endpoint}: not read: {error}", "allow more commands or more time") from None
    if isinstance(asker, Cluster):
        target.unreached = [Unreached(endpoint, why) for endpoint, why in asker.unreached.items()]
    return target


def _seen_by(view: SentinelView | None, server: Server) -> Server:
    if view is None or isinstance(server.replication, Refused):
        return server
    return replace(server, replication=replace(server.replication, sentinel=view))


def _all_primaries(session: Session, target: Target, spent: ServerTime) -> Asker:
    """The connection itself, or in a cluster all of its primaries, whose facts go into the target."""
    seed = target.servers[0]
    if isinstance(seed.replication, Refused) or seed.replication.mode != "cluster":
        return session.connection
    layout = session.connection.one("CLUSTER", "NODES")
    if not isinstance(layout, str):
        why = said(layout) if isinstance(layout, ReplyError) else "no answer"
        target.blind = True
        target.coverage.append(
            f"{seed.endpoint} is one node of a cluster whose others can't be seen (CLUSTER NODES: {why})"
        )
        return session.connection
    cluster = Cluster(session.connection, layout)
    servers = []
    for node in cluster.nodes:
        try:
            if node is session.connection:
                servers.append(seed)
                continue
            spent.begin(node)
            servers.append(read_server(Session(node, session.password_unneeded)))
        except LostError as error:
            cluster.unreached[node.address.endpoint] = str(error)
    target.servers = servers or target.servers
    target.clustered = True
    return cluster


def _read_databases(asker: Asker, target: Target, address: Address, names: Names) -> None:
    held = target.servers[0].databases
    read: list[int] = []
    for db in sorted({address.db, *held}) if address.all_dbs and not target.clustered else [address.db]:
        if db != address.db or address.all_dbs:
            try:
                chosen = asker.one("SELECT", db)
            except STOPPED as error:
                target.stopped = error
                break
            if isinstance(chosen, ReplyError):
                target.coverage.append(f"database {db} was not read: {said(chosen)}")
                continue
        read.append(db)
        _read_queues(asker, target, db, names)
        if target.stopped is not None:
            break
    seed = target.servers[0]
    others = () if target.clustered else tuple(sorted({*held} - {*read}))
    target.servers[0] = replace(seed, target=replace(seed.target, dbs=tuple(read), other_dbs=others))
    if target.stopped is None:
        _elsewhere(target, address)


def _read_queues(asker: Asker, target: Target, db: int, names: Names) -> None:
    """Discovery, then every queue, then the second look; what ends it early stays in the target."""
    servers, found = target.servers, Discovery()
    dumb = [server for server in servers if isinstance(server.memory, Refused)]
    seats = [_seats(server, db) for server in servers]
    try:
        discover(
            asker,
            found,
            held=[held for seat in seats for seated in seat.values() for _, held in seated],
            keys=None if dumb else sum(server.databases.get(db, 0) for server in servers),
            names=names,
        )
    except STOPPED as error:
        target.stopped = error
        target.coverage.append(f"the search for queues ended early: {error}")
    target.servers = [replace(servers[0], refused=(*servers[0].refused, *found.refused)), *servers[1:]]
    target.coverage += [found.coverage] if found.coverage else []
    if dumb and isinstance(servers[0].clients, Refused) and found.refused and not found.found:
        raise SourceError(
            f"{servers[0].endpoint}: this user may read nothing here",
            f"give the scan a user of its own: {auditor_line()}",
        )
    answers = _read_each(asker, target, list(_questions(asker, target, seats, found, db)))
    try:
        answers = read_events(asker, answers)
    except STOPPED as error:
        target.coverage += [] if target.stopped else [f"the newest events of queues were not read: {error}"]
        target.stopped = target.stopped or error
    target.queues += second_look.look(asker, answers, told_by_code=lambda: bool(names()))


def _read_each(asker: Asker, target: Target, questions: Sequence[Question]) -> list[Answer]:
    answers: list[Answer] = []
    shared, waiting = Shared(), list(questions)
    left, backwards = asker.meter.budget.jobs, all(version(server.version) >= (6, 2) for server in target.servers)
    while waiting:
        # queues that hold few jobs leave theirs to those that come after them
        sample = _sample(asker.meter, left, len(waiting))
        shared = Shared(sample, asker.meter.budget.each_state, backwards, measures=shared.measures)
        # what is left of the budget may not do for a whole batch
        batch = waiting[: max(min(_TOGETHER, _affordable(asker.meter, sample)), 1)]
        waiting = waiting[len(batch) :]
        some, stopped = together(asker, [read_queue(question, shared) for question in batch])
        answers += [answer for answer in some if answer is not None]
        left -= sum(len(answer.queue.sampled) for answer in some if answer is not None)
        if stopped is not None:
            if target.stopped is None:
                target.coverage.append(f"{len(answers)} of {len(questions)} queues were read: {stopped}")
            target.stopped = target.stopped or stopped
            break
    if target.stopped is None and len(answers) < len(questions):
        target.coverage.append(f"{len(answers)} of {len(questions)} queues were read: the nodes of the others are gone")
    return answers


def _questions(
    asker: Asker, target: Target, seats: Sequence[dict[Name, _Seated]], found: Discovery, db: int
) -> Iterator[Question]:
    for name in sorted(found.found, key=lambda name: (name.prefix, name.queue)):
        endpoint, waits = asker.owner(f"{name.stem}id"), asker.owner(f"{name.stem}wait")
        if endpoint not in {server.endpoint for server in target.servers}:
            endpoint = target.servers[0].endpoint
        yield Question(
            endpoint=endpoint,
            db=db,
            name=name,
            found_by=found.found[name],
            workers=_workers(target, seats, name, waits),
            known=found.known.get(name.stem, Known()),
        )


def _sample(meter: Meter, jobs: int, queues: int) -> int:
    """Jobs to read of each of the queues that are left, so that all of them fit the budget."""
    fits = (meter.budget.commands - meter.commands.total()) // queues - _FIXED
    return max(min(of_a_queue(meter.budget, jobs, queues), fits // _PER_JOB), 1)


def _affordable(meter: Meter, sample: int) -> int:
    """Queues that the rest of the budget surely does for."""
    return (meter.budget.commands - meter.commands.total()) // (_FIXED + _PER_JOB * sample)


def _workers(target: Target, seats: Sequence[dict[Name, _Seated]], name: Name, waits: str) -> QueueWorkers | Refused:
    """Workers by client names. In a cluster a worker shows on the nodes that it touches, on several or just one.

    The node that sees most gives the count, a lower bound: the sum would count workers twice. None at all is certain,
    since whoever waits for jobs does so on the node that holds the waiting list (`waits`); where a connection without a
    name waits there, it may be a worker.
    """
    for server in target.servers:
        if isinstance(server.clients, Refused):
            return server.clients
    replica = any(
        not isinstance(server.replication, Refused) and server.replication.role == "slave" for server in target.servers
    )
    seen = [workers(seat.get(name, []), certain=not replica) for seat in seats]
    most = max(seen, key=lambda each: each.count)
    if not target.clustered:
        return replace(most, certain=most.certain and not target.blind)
    there = [server.clients for server in target.servers if server.endpoint == waits]
    nameless = any(isinstance(clients, Clients) and clients.nameless_waiting for clients in there)
    return replace(most, certain=most.certain and not most.count and bool(there) and not nameless)


def _seats(server: Server, db: int) -> dict[Name, _Seated]:
    mine: dict[Name, _Seated] = defaultdict(list)
    for client in server.clients.named if isinstance(server.clients, Clients) else ():
        if client.db == db and (held := holder(client)):
            mine[Name(held.prefix, held.queue)].append((client, held))
    return mine


def _elsewhere(target: Target, address: Address) -> None:
    clients = target.servers[0].clients
    others = {client.db for client in clients.named} - {address.db} if isinstance(clients, Clients) else set()
    if others and not address.all_dbs:
        listed = ", ".join(map(str, sorted(others)))
        target.coverage.append(
            f"clients hold queues in other databases ({listed}), which were not read: --all-dbs reads them"
        )
