"""What handlers use up: the event loop, time on other servers, database connections (items 28, 29, 30)."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.code.model import CodeModel, Effect, OptionState, Role, Worker
from auditor.model import CodeSpan, Confidence, Verdict
from auditor.probes import probe

from ._handlers import cannot_follow, in_process, of, path_of
from ._options import choices, described, number
from ._roles import REMOTE
from ._subjects import Judged, bad, by_consumer, good, subject_of, unsure

DATABASES = (
    "prisma",
    "pg",
    "mysql",
    "typeorm",
    "sequelize",
    "knex",
    "drizzle",
    "mongo",
    "mikro-orm",
    "kysely",
    "slonik",
    "postgres",
    "objection",
)
FOR_EVER_MS = 600_000
"""A bound of ten minutes holds a slot for ten minutes: none in practice."""


@probe("handler.cpu_sandboxed")
def cpu_sandboxed(code: CodeModel) -> Verdict:
    """CPU-bound calls run in sandboxed processors, worker threads or child processes, never on a worker's event loop.

    Synchronous crypto, zlib and file work on large data, bcrypt, image and PDF rendering, execSync; loops that wait for the
    clock or count to ten millions and more, and recursion that doubles at each step.
    """
    return by_consumer(_cpu, "no handler of {n} workers computes on the event loop")(code)


@probe("client.timeouts")
def timeouts(code: CodeModel) -> Verdict:
    """Every client that a handler calls out with has a bound, client-wide or per call, and none is 0 (for ever).

    `fetch` without a signal and axios without a timeout wait for ever; an SDK's own default counts. How long a handler
    waits for a transaction's confirmation is item 50's.
    """
    return by_consumer(_calls, "every remote call of {n} handlers has a time bound")(code)


@probe("client.released")
def released(code: CodeModel) -> Verdict:
    """Database clients that a handler takes are released in `finally`; pools and ORM clients are built once."""
    return by_consumer(_released, "no handler of {n} workers keeps or builds a database client")(code)


def _cpu(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    if worker.sandboxed:
        return good(f"{name}: sandboxed processor")
    heavy = [effect for effect in in_process(worker) if effect.role is Role.CPU]
    if not heavy:
        return cannot_follow(worker, "whether it computes in process") or good(
            f"{name}: no CPU-bound call in its reach", confidence=Confidence.LIKELY
        )
    first = heavy[0]
    return bad(
        f"{name}: {path_of(worker, first)} runs on the event loop: all its jobs, and their lock renewal, wait for it",
        f"{first.call} in process",
        expected="a sandboxed processor, worker thread or child process",
        place=first.span,
        related=(*first.calls, *tuple(effect.span for effect in heavy[1:5])),
        confidence=Confidence.LIKELY,
    )


def _calls(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    remote = of(worker, *(REMOTE - {Role.CHAIN_CONFIRM}))
    endless = [effect for effect in remote if unbounded(effect)]
    if endless:
        first = endless[0]
        return bad(
            f"{name}: {path_of(worker, first)} has no timeout{nor_have(endless)}",
            f"{first.call}: {_told(first)}",
            expected="a timeout on the client or the call",
            place=first.span,
            related=(*clients_and_calls(endless), *first.calls),
            confidence=Confidence.LIKELY,
        )
    unclear = next(
        (effect for effect in remote if effect.timeout is None or effect.timeout.state is OptionState.UNKNOWN), None
    )
    if unclear:
        why = unclear.timeout.why if unclear.timeout and unclear.timeout.why else "its client could not be seen"
        return unsure(
            f"{name}: whether {unclear.call} ({unclear.span.label()}) has a timeout is open: {why}",
            related=(unclear.span,),
        )
    unseen = cannot_follow(worker, "which servers it calls")
    if unseen:
        return unseen
    shown = "; ".join(f"{e.call}: {_told(e)}" for e in remote[:3]) or "no remote call in its reach"
    return good(f"{name}: {shown}", confidence=Confidence.LIKELY)


def nor_have(effects: Sequence[Effect]) -> str:
    """` (nor have a.get, b.post)`, of the calls beside the first; empty where there is no other."""
    others = ", ".join(dict.fromkeys(e.call for e in effects if e.call != effects[0].call))
    return f" (nor have {others})" if others else ""


def clients_and_calls(effects: Sequence[Effect]) -> list[CodeSpan]:
    """Where each of several calls is to be mended, once: its client, then the call itself; the first one's call aside."""
    clients = dict.fromkeys(effect.client for effect in effects if effect.client)
    calls = dict.fromkeys(effect.span for effect in effects[1:] if effect.span != effects[0].span)
    return [*list(clients)[:6], *list(calls)[:8]]


def unbounded(effect: Effect) -> bool:
    """Whether it is known that nothing bounds the call's time, or only a default of ten minutes and more (nodemailer's)."""
    found = effect.timeout
    if found is None or found.state is OptionState.UNKNOWN:
        return False
    bounds = [number(value) for value in choices(found)]
    return any(bound is None or bound == 0 or bound >= FOR_EVER_MS for bound in bounds)


def _told(effect: Effect) -> str:
    return described("timeout", effect.timeout) if effect.timeout else "timeout not looked at"


def _released(code: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    built = [e for e in of(worker, Role.CLIENT) if any(word in e.package.lower() for word in DATABASES)]
    if built:
        message = f"{name}: {path_of(worker, built[0])} builds a database client in the handler, one per job"
        return bad(
            message,
            built[0].call,
            expected="built once per process",
            place=built[0].span,
            related=built[0].calls,
            confidence=Confidence.LIKELY,
        )
    kept = [effect for effect in of(worker, Role.ACQUIRE) if not _given_back(worker, effect)]
    if kept:
        message = f"{name}: {path_of(worker, kept[0])} takes a client that is not released in finally: an error loses it to the pool"
        return bad(
            message,
            kept[0].call,
            expected="release() in finally",
            place=kept[0].span,
            related=kept[0].calls,
            confidence=Confidence.LIKELY,
        )
    unseen = cannot_follow(worker, "which database clients it takes")
    if unseen:
        return unseen
    taken = len(of(worker, Role.ACQUIRE))
    told = f"{taken} clients taken, each released in finally" if taken else "takes no client by hand"
    return good(f"{name}: {told}", confidence=Confidence.LIKELY)


def _given_back(worker: Worker, taken: Effect) -> bool:
    """A release in a finally of the same function."""
    return any(
        effect.role is Role.RELEASE
        and "finally" in effect.within
        and effect.span.path == taken.span.path
        and effect.symbol == taken.symbol
        for effect in worker.effects
    )
