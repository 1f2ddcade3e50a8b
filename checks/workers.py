"""How workers run their jobs: concurrency, locks, stalled checks, listeners (items 16 to 20)."""

from __future__ import annotations

from auditor.code.model import CodeModel, Option, OptionState, Role, Worker
from auditor.live.model import LiveRedis
from auditor.model import Confidence, Verdict
from auditor.probes import probe

from . import _live
from ._at_once import at_once
from ._chain import shares_nonce
from ._handlers import cannot_follow, fills, first, in_process, of
from ._options import choices, described, number, numbers, option, places, sureness
from ._roles import REMOTE
from ._sources import join
from ._subjects import Judged, bad, by_worker, good, subject_of, unsure
from ._versions import at_least, is_bull, library_of

LOCK_MS = 30_000
"""Default lockDuration of Bull and BullMQ."""


@probe("worker.concurrency")
def concurrency(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Every worker's concurrency fits its work.

    Written down, 1 to 100 (outside 5 to 50: a note); at most 2 where the handler computes in process; 1 where it sends
    from one account's nonce without a manager. Unset fails where the handler waits for somebody else's server, unless
    only schedulers fill the queue or the nonce asks for 1. Redis stores it nowhere: jobs that one worker holds at once
    are a lower bound.
    """
    by_code = by_worker(_concurrency, "all {n} workers have a concurrency that fits")
    return join(code, live, by_code, _live.concurrency, decides=False)


@probe("worker.lock_duration")
def lock_duration(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """No job outlives its lock: the lock is renewed while the event loop is free, so only blocking work can lose it.

    Without renewal (`skipLockRenewal`, or `lockRenewTime` not below `lockDuration`) the job's own bound (the handler's, or
    Bull's `timeout`) must fit into the lock, and so must each call that it waits for. Redis shows stalls that happened.
    """
    return join(code, live, by_worker(_lock, "all {n} workers renew the locks of their jobs"), _live.lock_duration)


@probe("worker.stalled_interval")
def stalled_interval(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Somebody looks for stalled jobs: `stalledInterval` above 0 or the default, and not every worker skips the check."""
    return join(code, live, by_worker(_stalled, "all {n} workers check for stalled jobs"), _live.stalled_interval)


@probe("worker.max_stalled_count")
def max_stalled_count(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """A stalled job is started again once to three times: `maxStalledCount` 1 to 3, or the default 1.

    Redis: the counters of jobs that failed for stalling show the limit that was in force.
    """
    by_code = by_worker(_max_stalled, "all {n} workers restart a stalled job 1 to 3 times")
    return join(code, live, by_code, _live.max_stalled_count)


@probe("worker.error_listener")
def error_listener(code: CodeModel) -> Verdict:
    """Every worker has a living `error` listener: direct, in a loop, by a helper, in a base class, by Nest's decorator.

    In Bull the queue object is the worker. A listener on a BullMQ Queue or QueueEvents does not hear the worker's errors.
    """
    return by_worker(_errors, "all {n} workers listen to error")(code)


def _concurrency(code: CodeModel, worker: Worker) -> Judged:
    found = option(worker.options, "concurrency")
    name, told = subject_of(worker).name, described("concurrency", found)
    if found.state is OptionState.ABSENT:
        return _default_concurrency(code, worker, name)
    values = numbers(found)
    if values is None:
        return unsure(f"{name}: {told}", told, related=places(found))
    sure, related, most = sureness(found, worker.span), places(found), max(values)
    if most > 100 or min(values) < 1:
        why = "more than one process can serve well" if most > 100 else "no number of jobs"
        return bad(f"{name}: {told}, {why}", told, expected="1 to 100", related=related, confidence=sure)
    cpu = first(in_process(worker), {Role.CPU})
    if cpu and most > 2:
        message = f"{name} runs {most:g} jobs at once, though {cpu.call} ({cpu.span.label()}) blocks them all"
        return bad(
            message,
            told,
            expected="2 at most, or a sandboxed processor",
            related=(cpu.span, *related),
            confidence=Confidence.LIKELY,
        )
    if shares_nonce(worker) and most > 1:
        send = first(worker.effects, {Role.CHAIN_SEND})
        spans = (send.span, *related) if send else related
        message = f"{name} sends transactions from one account by {most:g} jobs at once, without a nonce manager"
        return bad(message, told, expected="1, or a nonce manager", related=spans, confidence=Confidence.LIKELY)
    odd = not 5 <= most <= 50 and first(worker.effects, REMOTE) is not None
    notes = (f"{name}: {told}; 5 to 50 is usual for work that waits for other servers",) if odd else ()
    return good(told, confidence=sure, related=related, notes=notes)


def _default_concurrency(code: CodeModel, worker: Worker, name: str) -> Judged:
    remote = next((e for e in worker.effects if e.role in REMOTE and e.awaited), None)
    if remote is None:
        return cannot_follow(worker, "whether 1 is enough") or good(
            "concurrency: not set (1); the handler waits for no other server", confidence=Confidence.LIKELY
        )
    jobs, most = fills(code, worker), at_once(code, worker) or 1
    if shares_nonce(worker) and most > 1:
        send = first(worker.effects, {Role.CHAIN_SEND})
        message = f"{name} sends transactions from one account by {most} jobs at once (Bull adds up the processors of a queue), without a nonce manager"
        return bad(
            message,
            f"concurrency: not set, {most} processors",
            expected="one processor, or a nonce manager",
            related=(send.span,) if send else (),
            confidence=Confidence.LIKELY,
        )
    if shares_nonce(worker):
        return good("concurrency: not set (1), as the shared nonce needs", confidence=Confidence.LIKELY)
    if jobs and all(job.repeats or job.scheduler is not None for job in jobs):
        return good("concurrency: not set (1); only schedulers fill the queue", confidence=Confidence.LIKELY)
    where = "beside the processor in process(…)" if is_bull(worker) else "in the worker's options"
    return bad(
        f"{name} sets no concurrency: {'one job' if most == 1 else f'{most} jobs, one for each processor,'} at a time, though its handler waits for {remote.call} ({remote.span.label()})",
        "concurrency: not set",
        expected="5 to 50 for work that waits for other servers",
        related=(remote.span,),
        confidence=Confidence.LIKELY,
        fix=f"give concurrency {where}",
    )


def _lock(code: CodeModel, worker: Worker) -> Judged:
    lock, renew = option(worker.options, "lockDuration"), option(worker.options, "lockRenewTime")
    name, (longest, bound) = subject_of(worker).name, _longest_run(code, worker)
    locks, renews = numbers(lock) or (LOCK_MS,), numbers(renew)
    told = described("lockDuration", lock) if lock.state is not OptionState.ABSENT else "lockDuration: default 30000"
    if lock.state is OptionState.UNKNOWN:
        return unsure(f"{name}: {told}", told, related=places(lock, renew))
    skips = True in choices(option(worker.options, "skipLockRenewal"))
    late = renews is not None and max(renews) >= min(locks)
    blocking = first(in_process(worker), {Role.CPU})
    said = f"; {longest}" if longest else ""
    if not (skips or late or blocking):
        return cannot_follow(worker, "whether anything blocks the renewal") or good(
            f"{told}, renewed while the event loop is free{said}",
            confidence=Confidence.LIKELY,
            related=places(lock, renew),
        )
    why = (
        "skips lock renewal"
        if skips
        else f"renews only after {max(renews or (0,)):g} ms"
        if late
        else f"blocks renewal in {blocking.call if blocking else ''}"
    )
    slow = next((e for e in of(worker, *REMOTE) if skips and _outlasts(e.timeout, min(locks))), None)
    culprit = slow or blocking
    spans = ((culprit.span,) if culprit else ()) + places(lock, renew)
    if late or (bound is not None and bound > min(locks)) or slow:
        over = f"; {slow.call} alone may take longer" if slow and not longest else said
        return bad(
            f"{name} {why}: a job outlives its lock of {min(locks):g} ms and runs twice",
            told + over,
            related=spans,
            confidence=Confidence.LIKELY,
        )
    if bound is not None:
        return good(f"{told}{said}", confidence=Confidence.LIKELY, related=spans)
    return unsure(
        f"{name} {why}, and nothing bounds its run: give a Redis URL to see how long its jobs take", told, related=spans
    )


def _longest_run(code: CodeModel, worker: Worker) -> tuple[str, float | None]:
    """How long a run may take by the handler's own bound, else by Bull's `timeout` of every job, in words and in ms."""
    own = numbers(worker.bound) if worker.bound else None
    if own:
        return f"the handler's own bound is {max(own):g} ms", max(own)
    limits = [numbers(option(job.options, "timeout")) for job in fills(code, worker)] if is_bull(worker) else []
    known = [max(limit) for limit in limits if limit]
    if known and len(known) == len(limits):
        return f"its jobs' timeout is {max(known):g} ms", max(known)
    return "", None


def _outlasts(bound: Option | None, lock: float) -> bool:
    """Whether it is known that a call may take longer than the lock; one that has no bound may."""
    if bound is None or bound.state is OptionState.UNKNOWN:
        return False
    return any(value is None or (number(value) or 0) > lock for value in choices(bound))


def _stalled(code: CodeModel, worker: Worker) -> Judged:
    found, skip = option(worker.options, "stalledInterval"), option(worker.options, "skipStalledCheck")
    name, told = subject_of(worker).name, described("stalledInterval", found)
    peers = [w for w in code.workers if w.live and set(w.queue) & set(worker.queue)] or [worker]
    if True in choices(skip) and all(True in choices(option(w.options, "skipStalledCheck")) for w in peers):
        return bad(
            f"{name} skips the stalled check, and so does every other worker of the queue",
            "skipStalledCheck: true",
            related=places(skip),
        )
    if found.state is OptionState.UNKNOWN:
        return unsure(f"{name}: {told}", told, related=places(found))
    scheduler = next(
        (m for m in code.misuses if m.rule == "no_queue_scheduler" and m.live and m.queue in worker.queue), None
    )
    if scheduler is not None:
        return bad(
            f"{name}: {scheduler.message}",
            library_of(worker),
            related=(scheduler.span,),
            fix="add new QueueScheduler(queueName), or move to BullMQ 2",
        )
    if any((n := number(value)) is not None and n <= 0 for value in choices(found)):
        what = "Bull never checks for stalled jobs" if is_bull(worker) else "BullMQ refuses to start"
        return bad(
            f"{name}: {told}: {what}",
            told,
            expected="> 0",
            related=places(found),
            confidence=sureness(found, worker.span),
        )
    default = found.state is OptionState.ABSENT
    return good(
        "stalledInterval: default 30000" if default else told,
        confidence=sureness(found, worker.span),
        related=places(found),
    )


def _max_stalled(_: CodeModel, worker: Worker) -> Judged:
    found = option(worker.options, "maxStalledCount")
    name, told = subject_of(worker).name, described("maxStalledCount", found)
    if found.state is OptionState.ABSENT:
        return good("maxStalledCount: default 1")
    values = numbers(found)
    if values is None:
        return unsure(f"{name}: {told}", told, related=places(found))
    if min(values) < 1 or max(values) > 3:
        why = (
            "a job that stalls once is failed"
            if min(values) < 1
            else "a job that kills its worker comes back again and again"
        )
        return bad(
            f"{name}: {told}: {why}",
            told,
            expected="1 to 3",
            related=places(found),
            confidence=sureness(found, worker.span),
        )
    return good(told, confidence=sureness(found, worker.span), related=places(found))


def _errors(_: CodeModel, worker: Worker) -> Judged:
    heard = [
        item
        for item in worker.listeners
        if item.event == "error" and (item.on == "worker" or (is_bull(worker) and item.on == "queue"))
    ]
    living = [item for item in heard if item.live]
    name = subject_of(worker).name
    if living:
        return good(f"error listener at {living[0].span.label()}", related=(living[0].span,))
    if heard:
        message = f"{name} has an error listener that is written but never reached ({heard[0].span.label()})"
        return bad(message, "no living error listener", related=(heard[0].span,))
    crash = (
        "an emitted error without a listener ends the process"
        if is_bull(worker) or not at_least(worker, 2)
        else "Redis errors go unseen or end the process"
    )
    receiver = "queue.on('error', …)" if is_bull(worker) else "worker.on('error', …)"
    return bad(
        f"{name} has no error listener: {crash}",
        "no error listener",
        expected="one on each worker",
        fix=f"{receiver} that logs the error",
    )
