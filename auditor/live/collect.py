"""`collect`: every target read once, within the budget → LiveRedis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from auditor.errors import SourceError
from auditor.model import SourceReport, SourceStatus

from . import second_look
from .address import Address
from .asking import STOPPED, together
from .budget import Budget
from .clients import Holder, holder, workers
from .connection import Connection, LostError
from .discovery import Discovery, Name, discover
from .login import login
from .meter import BudgetSpentError, Meter
from .model import LiveQueue, LiveRedis, QueueWorkers
from .queues import Answer, Question, read_queue
from .server import read_server
from .server_model import Clients, RedisClient, Refused, Server, Unreached

_TOGETHER = 32
_JOBS_IN_ALL = 12_000
_JOBS_AT_LEAST = 4


def collect(
    targets: Sequence[Address],
    *,
    names: Callable[[], Collection[str]],
    budget: Budget,
    deadline: float,
) -> LiveRedis:
    """Read all targets; `deadline` is a moment of `time.monotonic()`.

    `names` gives the queue names that code knows, with or without a prefix (`mail`, `{bull}:mail`); it may block until
    code is read, and is called once, after all that needs no names.

    Raises SourceError where no target gave anything (unreachable, refused, not Redis). A target that gave nothing
    beside others that did is in `unreached`, and the report ends early. Single refusals make the report `partial`.
    """
    meter = Meter(budget, deadline)
    known = _Once(names)
    read: list[_Target] = []
    failures: list[tuple[Address, SourceError]] = []
    for address in targets:
        try:
            read.append(_read(address, meter, known))
        except SourceError as error:
            failures.append((address, error))
    if not read:
        if len(failures) == 1:
            raise failures[0][1]
        raise SourceError("; ".join(error.message for _, error in failures), failures[0][1].hint if failures else "")
    return LiveRedis(
        servers=tuple(target.server for target in read),
        queues=tuple(queue for target in read for queue in target.queues),
        report=_report(read, failures, meter),
        unreached=tuple(Unreached(address.endpoint, error.message) for address, error in failures),
        coverage="; ".join(dict.fromkeys(target.coverage for target in read if target.coverage)),
    )


@dataclass(slots=True)
class _Target:
    server: Server
    queues: list[LiveQueue] = field(default_factory=list)
    coverage: str = ""
    stopped: Exception | None = None


class _Once:
    """Calls a function at most once, however many targets ask."""

    def __init__(self, names: Callable[[], Collection[str]]) -> None:
        self._names = names
        self._known: Collection[str] | None = None

    def __call__(self) -> Collection[str]:
        if self._known is None:
            self._known = self._names()
        return self._known


def _read(address: Address, meter: Meter, names: Callable[[], Collection[str]]) -> _Target:
    try:
        session = login(address, meter)
        with session.connection as connection:
            target = _Target(read_server(session))
            _read_queues(connection, target, names)
    except LostError as error:
        raise SourceError(
            f"{address.endpoint}: {error}", "the server went away while its first facts were read"
        ) from None
    except BudgetSpentError as error:
        raise SourceError(f"{address.endpoint}: not read: {error}", "allow more commands or more time") from None
    return target


def _read_queues(connection: Connection, target: _Target, names: Callable[[], Collection[str]]) -> None:
    """Discovery, then every queue, then the second look; what ends it early stays in the target."""
    server, found = target.server, Discovery()
    db = server.target.db
    keys = None if isinstance(server.memory, Refused) else server.databases.get(db, 0)
    try:
        discover(connection, found, clients=server.clients, keys=keys, names=names)
    except STOPPED as error:
        target.stopped = error
    target.server = server = replace(server, refused=(*server.refused, *found.refused))
    target.coverage = _coverage(server, found, target.stopped)
    if isinstance(server.memory, Refused) and isinstance(server.clients, Refused) and found.refused and not found.found:
        raise SourceError(
            f"{server.endpoint}: this user may read nothing here", "`tt-audit acl` prints the rights that a scan needs"
        )
    questions = _questions(server, found, connection.meter.budget.sample)
    answers: list[Answer] = []
    for start in range(0, len(questions), _TOGETHER):
        some, stopped = together(
            connection, [read_queue(question) for question in questions[start : start + _TOGETHER]]
        )
        answers += [answer for answer in some if answer is not None]
        target.stopped = target.stopped or stopped
        if stopped is not None:
            target.coverage = target.coverage or f"{len(answers)} of {len(questions)} queues were read: {stopped}"
            break
    target.queues = second_look.look(connection, answers)


def _questions(server: Server, found: Discovery, sample: int) -> list[Question]:
    mine: dict[Name, list[tuple[RedisClient, Holder]]] = defaultdict(list)
    db = server.target.db
    for client in server.clients.named if isinstance(server.clients, Clients) else ():
        if client.db == db and (held := holder(client)):
            mine[Name(held.prefix, held.queue)].append((client, held))
    replica = not isinstance(server.replication, Refused) and server.replication.role == "slave"
    each = max(min(sample, _JOBS_IN_ALL // max(len(found.found), 1)), min(sample, _JOBS_AT_LEAST))
    questions = []
    for name in sorted(found.found, key=lambda name: (name.prefix, name.queue)):
        seen: QueueWorkers | Refused
        seen = (
            server.clients if isinstance(server.clients, Refused) else workers(mine.get(name, []), certain=not replica)
        )
        questions.append(Question(server.endpoint, db, name, found.found[name], seen, each))
    return questions


def _coverage(server: Server, found: Discovery, stopped: Exception | None) -> str:
    parts = [found.coverage] if found.coverage else []
    if stopped is not None:
        parts.append(f"the search for queues ended early: {stopped}")
    elsewhere = (
        {client.db for client in server.clients.named} - {server.target.db}
        if isinstance(server.clients, Clients)
        else set()
    )
    if elsewhere:
        parts.append(
            f"clients hold queues in other databases ({', '.join(map(str, sorted(elsewhere)))}), which were not read"
        )
    return "; ".join(parts)


def _report(read: list[_Target], failures: list[tuple[Address, SourceError]], meter: Meter) -> SourceReport:
    whys = [error.message for _, error in failures]
    whys += [f"{target.server.endpoint}: {target.coverage}" for target in read if target.coverage]
    refusals = dict.fromkeys(fact.label() for target in read for fact in target.server.refused)
    refusals |= dict.fromkeys(fact.label() for target in read for queue in target.queues for fact in queue.refused)
    if refusals:
        shown = list(refusals)[:6]
        whys.append(
            "refused: " + "; ".join(shown) + (f" and {len(refusals) - len(shown)} more" if len(refusals) > 6 else "")
        )
    early = bool(failures) or any(_early(target.stopped, meter) for target in read)
    return SourceReport(
        name="live",
        status=SourceStatus.PARTIAL if whys or early else SourceStatus.OK,
        why="; ".join(whys),
        commands=dict(sorted(meter.commands.items())),
        keys_scanned=meter.keys_scanned,
        ended_early=early,
    )


def _early(stopped: Exception | None, meter: Meter) -> bool:
    """A lost server or the scan's own deadline ends a source early; its budget only cuts it."""
    return isinstance(stopped, LostError) or (stopped is not None and meter.left <= 0 and not meter.own_deadline)
