"""How queues and workers reach Redis: retry strategy and sharing (items 25, 26)."""

from __future__ import annotations

from auditor.code.model import CodeModel, Connection, Library, OptionState, Queue, Retry
from auditor.live.model import LiveRedis, Refused
from auditor.model import CodeSpan, Confidence, Evidence, Finding, RedisPlace, Status, Subject, SubjectType, Verdict
from auditor.probes import conclude, not_applicable, probe

from ._live import LiveSide
from ._options import described, number, option, places, sureness
from ._sources import join
from ._subjects import MOST_EVIDENCE, NO_QUEUES, subject_of, weakest

OFF = {
    Retry.STOPS: "its retry strategy gives up: after that the worker is deaf until somebody restarts it",
    Retry.OFF: "reconnection is turned off: one lost connection and the worker is deaf",
}


@probe("connection.retry_strategy")
def retry_strategy(code: CodeModel) -> Verdict:
    """Every connection comes back by itself, and a worker's waits as long as it takes.

    Plain options handed to the library reconnect by its own strategy. A client of one's own needs a strategy that always
    returns a delay, and for a worker `maxRetriesPerRequest: null`: BullMQ refuses a number, which is ioredis' default.
    """
    if code.empty:
        return not_applicable(NO_QUEUES)
    living = [c for c in code.connections if c.live] or list(code.connections)
    findings = [finding for connection in living for finding in _retries(code, connection)]
    shown = [
        Evidence(c.span.label(), f"{_used(c)}: {_strategy(c)}", place=c.span) for c in living if not _retries(code, c)
    ]
    if not living:
        first = next(iter((*code.workers, *code.queues, *code.producers)))
        shown = [
            Evidence(
                first.span.label(), "no connection options given: the library's own, which reconnects", place=first.span
            )
        ]
    return conclude(
        findings,
        held=f"all {len(living)} connections reconnect"
        if living
        else "no connection options given: the library reconnects by itself",
        evidence=shown[:MOST_EVIDENCE],
        confidence=weakest((), Confidence.CERTAIN if code.entry_points_known else Confidence.LIKELY),
    )


@probe("connection.pooling")
def pooling(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Connections are made once per process: no queue, worker or client is built inside a request or job handler or a loop."""
    return join(code, live, _pooled, _proportion, decides=False)


def _pooled(code: CodeModel) -> Verdict:
    if code.empty:
        return not_applicable(NO_QUEUES)
    queues = [_leak(queue) for queue in code.queues if queue.live and queue.per_call]
    clients = [
        _leaking_client(connection) for connection in code.connections if connection.live and connection.per_call
    ]
    made = [q.span for q in code.queues if q.live] + [c.span for c in code.connections if c.live]
    made = made or [site.span for site in (*code.workers, *code.producers)]
    return conclude(
        [*queues, *clients],
        held=f"all {len(made)} queues and connections are made once"
        if made
        else "queues and connections are made once",
        evidence=[
            Evidence(span.label(), "made once, outside handlers and loops", place=span) for span in made[:MOST_EVIDENCE]
        ],
        confidence=Confidence.LIKELY,
    )


def _proportion(live: LiveRedis) -> LiveSide:
    """More than 10 connections per live worker and more than 100 in all: somebody connects per call."""
    findings: list[Finding] = []
    evidence: list[Evidence] = []
    for server in live.servers:
        connected = None if isinstance(server.connections, Refused) else server.connections.connected
        counts = [
            q.workers.count for q in live.queues if q.endpoint == server.endpoint and not isinstance(q.workers, Refused)
        ]
        if connected is None or not sum(counts):
            continue
        place = RedisPlace(server.endpoint, "connected_clients")
        shown = Evidence(
            "INFO clients, CLIENT LIST",
            f"{connected} connections, {sum(counts)} workers",
            "at most 10 per worker, or 100 in all",
            place,
        )
        evidence.append(shown)
        if connected > 100 and connected > 10 * sum(counts):
            text = f"{connected} connections for {sum(counts)} workers: somebody connects per call"
            findings.append(
                Finding(
                    text,
                    Subject(SubjectType.SERVER, server.endpoint),
                    place,
                    evidence=(shown,),
                    confidence=Confidence.LIKELY,
                )
            )
    return LiveSide(tuple(findings), tuple(evidence))


def _retries(code: CodeModel, connection: Connection) -> list[Finding]:
    found = option(connection.options, "maxRetriesPerRequest")
    whose = _used(connection)
    if connection.retry in OFF:
        return [
            _finding(connection, f"{whose}: {OFF[connection.retry]}", connection.retry_at, f"retry: {connection.retry}")
        ]
    if connection.retry is Retry.UNKNOWN:
        text = f"{whose}: its retry strategy could not be resolved; write it where the client is made"
        return [_finding(connection, text, connection.retry_at, "retry: not resolved", status=Status.UNVERIFIED)]
    if (
        not connection.client
        or not {"worker", "events"} & set(connection.used_by)
        or connection.retry is Retry.UNBOUNDED
    ):
        return []
    if found.state is OptionState.UNKNOWN:
        return [
            _finding(
                connection,
                f"{whose}: {described('maxRetriesPerRequest', found)}",
                None,
                "not resolved",
                status=Status.UNVERIFIED,
            )
        ]
    if _bullmq(code) and (found.state is OptionState.ABSENT or number(found.value) is not None):
        given = "20, ioredis' default" if found.state is OptionState.ABSENT else f"{number(found.value):g}"
        text = f"{whose}: maxRetriesPerRequest is {given}; on a client handed to a worker BullMQ wants null"
        sure = sureness(found, connection.span) if found.state is not OptionState.ABSENT else Confidence.LIKELY
        return [
            _finding(
                connection,
                text,
                places(found)[0] if places(found) else None,
                described("maxRetriesPerRequest", found),
                sure=sure,
            )
        ]
    return []


def _finding(
    connection: Connection,
    message: str,
    place: CodeSpan | None,
    observed: str,
    *,
    status: Status = Status.FAIL,
    sure: Confidence = Confidence.LIKELY,
) -> Finding:
    where = place or connection.span
    return Finding(
        message,
        Subject(SubjectType.CONNECTION, _used(connection), service=connection.service),
        where,
        () if where == connection.span else (connection.span,),
        (Evidence(where.label(), observed, "reconnects for ever; maxRetriesPerRequest: null for workers", where),),
        sure,
        status=status,
    )


def _leak(queue: Queue) -> Finding:
    name = queue.name or "a queue"
    shown = Evidence(
        queue.span.label(), f"new queue object in {queue.symbol or 'a function'}", "made once per process", queue.span
    )
    text = f"{name}: a new queue object, with its own Redis connections, at every call of {queue.symbol or 'the function around it'}"
    return Finding(
        text, subject_of(queue), queue.span, evidence=(shown,), confidence=Confidence.LIKELY, symbol=queue.symbol
    )


def _leaking_client(connection: Connection) -> Finding:
    return _finding(
        connection, f"{_used(connection)} is made anew at every call", None, "made inside a handler, request or loop"
    )


def _used(connection: Connection) -> str:
    if connection.per_call and not connection.client:
        return "a QueueEvents object, with a connection of its own,"
    kind = "Redis client" if connection.client else "connection options"
    return f"{kind} of {', '.join(connection.used_by) or 'the queues'}"


def _strategy(connection: Connection) -> str:
    found = option(connection.options, "maxRetriesPerRequest")
    extra = f", {described('maxRetriesPerRequest', found)}" if found.state is not OptionState.ABSENT else ""
    words = {
        Retry.BOUNDED: "own retry strategy with a ceiling",
        Retry.UNBOUNDED: "own retry strategy without a ceiling",
    }
    return words.get(connection.retry, "the library's own retry strategy") + extra


def _bullmq(code: CodeModel) -> bool:
    return any(site.library is not Library.BULL for site in (*code.workers, *code.queues))
