"""What becomes of a job whose attempts are spent (item 21)."""

from __future__ import annotations

import re

from auditor.code.model import CodeModel, Effect, Listener, Role, Worker
from auditor.live.model import LiveRedis
from auditor.model import Confidence, Severity, Verdict
from auditor.probes import probe

from . import _live
from ._handlers import cannot_follow
from ._roles import KEEPS, WRITES
from ._sources import join, queue_names
from ._subjects import Judged, bad, by_consumer, good, subject_of

DEAD_LETTER = ("dlq", "dead", "poison")
FAILURE = ("fail", "dead", "dlq", "error", "exhaust", "poison", "incident", "alert")


@probe("worker.dead_letter")
def dead_letter(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """A job whose attempts are spent lands where a person finds it: a dead-letter queue, a table, an alert.

    A living `failed` listener (worker, Bull queue or QueueEvents) whose reach writes, enqueues, notifies or reports does
    it; so does the handler's own catch, where each `@Process` of a class has its own. A listener that only logs or counts is half of it: it fails, at severity low.
    Redis shows queues that are named like dead-letter queues, and what lies in failed sets.
    """
    return join(code, live, dead_letters, _live.dead_letter_queues, decides=False)


def dead_letters(code: CodeModel) -> Verdict:
    """The verdict of item 21, for items that rest on it."""
    return by_consumer(_dead_letter, "the failed jobs of all {n} workers are kept where a person finds them")(code)


def has_dead_letter_queue(code: CodeModel) -> bool:
    """Whether code names a queue for dead letters, or fills one from a failure path."""
    if any(job.dead_letter for job in code.producers):
        return True
    return any(word in re.split(r"[^a-z]+", _words(name)) for name in queue_names(code) for word in DEAD_LETTER)


def _dead_letter(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    heard = [item for item in worker.listeners if item.event == "failed"]
    living = [item for item in heard if item.live]
    kept = next(((item, effect) for item in living for effect in item.effects if _keeps(effect)), None)
    if kept:
        item, effect = kept
        observed = f"failed listener at {item.span.label()} calls {effect.call} ({effect.span.label()})"
        return good(observed, confidence=Confidence.LIKELY, related=(item.span, effect.span))
    own = [effect for effect in worker.effects if "catch" in effect.within and _keeps(effect)]
    without = [span for at, span in enumerate(worker.methods) if at not in {effect.run for effect in own}]
    if own and not without:
        observed = f"the handler's catch calls {own[0].call} ({own[0].span.label()})"
        return good(observed, confidence=Confidence.LIKELY, related=(own[0].span,))
    if living and worker.followed:
        return _only_told(worker, name, living)
    open_ = cannot_follow(worker, "whether the handler itself records its failures")
    if open_:
        return open_
    if heard:
        message = f"{name} has a failed listener that is written but never reached ({heard[0].span.label()})"
        return bad(message, "no living failed listener", related=(heard[0].span,))
    if own:
        message = f"{name} has no failed listener, and its handler at {without[0].label()} records no failure, as others of it do"
        return bad(message, "no failed listener", related=tuple(without), confidence=Confidence.LIKELY, fix=_FIX)
    return bad(
        f"{name} has no failed listener, and its handler records no failure: a job whose attempts are spent is seen by nobody",
        "no failed listener",
        expected="a listener that moves exhausted jobs to a dead-letter queue or table",
        confidence=Confidence.LIKELY,
        fix=_FIX,
    )


_FIX = "on 'failed', when job.attemptsMade >= job.opts.attempts, add { data, failedReason, stacktrace } to a dead-letter queue"


def _only_told(worker: Worker, name: str, living: list[Listener]) -> Judged:
    does = sorted({effect.call for item in living for effect in item.effects if effect.role in (Role.LOG, Role.METRIC)})
    what = f"only calls {', '.join(does[:3])}" if does else "keeps the job nowhere"
    return bad(
        f"{name}: its failed listener ({living[0].span.label()}) {what}: data, reason and stack are gone with the log",
        "a failed listener that keeps nothing",
        expected="exhausted jobs in a dead-letter queue or table, or an alert",
        related=tuple(item.span for item in living),
        confidence=Confidence.LIKELY,
        severity=Severity.LOW,
        fix=_FIX,
    )


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower().replace("deadletter", "dead-letter")


def _keeps(effect: Effect) -> bool:
    """Whether the call keeps the job or alerts somebody; a write that knows nothing of the failure only tidies up."""
    if effect.role not in KEEPS - {Role.REPORT}:
        return False
    text = f"{effect.call} {effect.target} {effect.symbol}".lower()
    told = any(path.startswith("error") or "failedReason" in path or "stacktrace" in path for path in effect.keyed_by)
    return effect.role not in WRITES or effect.failure or told or any(word in text for word in FAILURE)
