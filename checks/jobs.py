"""How jobs are retried and kept: attempts, backoff, retention (items 1, 2, 4, 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from auditor.code.model import CodeModel, Json, Option, OptionState, Producer, is_named
from auditor.live.model import LiveRedis
from auditor.model import Verdict
from auditor.probes import probe

from . import _live
from ._backoff import backoff_of
from ._options import choices, described, number, option, places, sureness
from ._sources import join
from ._subjects import Judged, bad, by_producer, good, subject_of, unsure
from ._versions import at_least, is_bull, library_of

ABSURD = 1000
"""More attempts than this are a loop, not a retry."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The least that must survive of failed jobs."""

    min_count: int = 100
    min_age_s: int = 86_400


@probe("producer.attempts")
def attempts(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Every producer's effective options carry `attempts` of at least 1.

    Counted wherever the library takes it from: the call, the queue's defaults, a flow's queuesOptions, a scheduler's
    template, Nest's registerQueue and forRoot. Unresolved is unverified; fillers of a dead-letter queue are exempt.
    """
    return join(code, live, by_producer(_attempts, "all {n} producers set attempts"), _live.attempts)


@probe("producer.backoff")
def backoff(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Every producer that tries more than once waits in between: a backoff with a delay above 0, of a type that exists.

    One attempt has nothing to back off and passes. A type other than fixed and exponential needs a strategy on a worker
    of that queue (BullMQ) or in the queue's settings (Bull).
    """
    return join(code, live, by_producer(backoff_of, "all {n} producers back off or try once"), _live.backoff)


@probe("producer.remove_on_complete")
def remove_on_complete(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Completed jobs don't stay for ever: `true`, a number, or a bound by age or count; the worker's own option counts."""
    by_code = by_producer(_completed, "all {n} producers bound their completed jobs")
    return join(code, live, by_code, _live.remove_on_complete)


@probe("producer.remove_on_fail")
def remove_on_fail(code: CodeModel | None, live: LiveRedis | None, least: Kept) -> Verdict:
    """Failed jobs survive for a day and a hundred of them do: absent, `false`, or bounds no tighter than that.

    Where both bounds are given the library applies both, so both must be wide enough.
    """
    by_code = by_producer(partial(_failed, least=least), "all {n} producers keep their failures")
    by_live = partial(_live.remove_on_fail, min_count=least.min_count, min_age_s=least.min_age_s)
    return join(code, live, by_code, by_live)


def _attempts(_: CodeModel, job: Producer) -> Judged | None:
    if job.dead_letter:
        return None
    found = option(job.options, "attempts")
    name, told = subject_of(job).name, described("attempts", found)
    values = choices(found)
    if found.state is OptionState.UNKNOWN or (found.state is OptionState.KNOWN and found.value is None):
        return unsure(f"{name}: {told}; write it in the options or as a constant", told, related=places(found))
    if None in values:
        some = "sets no attempts" if found.state is OptionState.ABSENT else "sets no attempts at some call sites"
        return bad(
            f"{name} {some}: {library_of(job)} tries once",
            told,
            expected="attempts >= 1, written down",
            related=places(found, *job.options.values())[:3],
            confidence=sureness(found, job.span),
            fix="pass { attempts: 3, backoff: { type: 'exponential', delay: 2000 } } to add, or set defaultJobOptions on this very queue object",
        )
    low = [value for value in values if (read := number(value)) is None or read < 1]
    if low:
        return bad(
            f"{name}: {told}; that is no number of tries",
            told,
            expected="attempts >= 1",
            related=places(found),
            confidence=sureness(found, job.span),
        )
    many = [value for value in values if (number(value) or 0) >= ABSURD]
    notes = (f"{name}: {told}; a job that fails that often never reaches the failed set",) if many else ()
    return good(told, confidence=sureness(found, job.span), related=places(found), notes=notes)


def _completed(code: CodeModel, job: Producer) -> Judged | None:
    if job.dead_letter:
        return None
    found = _effective(code, job, "removeOnComplete")
    name, told = subject_of(job).name, described("removeOnComplete", found)
    if found.state is OptionState.UNKNOWN:
        return unsure(f"{name}: {told}", told, related=places(found))
    unlimited = [value for value in choices(found) if _unlimited(value)]
    if unlimited:
        why = (
            "sets no removeOnComplete"
            if found.state is OptionState.ABSENT
            else f"leaves completed jobs for ever ({told})"
        )
        return bad(
            f"{name} {why}: every completed job stays in Redis",
            told,
            expected="true, a count, or { age, count }",
            related=places(found),
            confidence=sureness(found, job.span),
            fix="set removeOnComplete: { age: 86400, count: 1000 } (age in seconds) in the job's options or the queue's defaultJobOptions",
        )
    forgets = any(value is True or value == 0 for value in choices(found)) and job.job_id is True
    note = (
        f"{name}: removeOnComplete forgets the job id at once, so the id no longer stops a duplicate after completion"
    )
    return good(told, confidence=sureness(found, job.span), related=places(found), notes=(note,) if forgets else ())


def _failed(code: CodeModel, job: Producer, least: Kept) -> Judged | None:
    found = _effective(code, job, "removeOnFail")
    name, told = subject_of(job).name, described("removeOnFail", found)
    if found.state is OptionState.UNKNOWN:
        return unsure(f"{name}: {told}", told, related=places(found))
    tight = [reason for value in choices(found) if (reason := _tight(value, least))]
    if tight:
        return bad(
            f"{name} {tight[0]}",
            told,
            expected=f"absent, false, or at least {least.min_count} jobs and {least.min_age_s} s",
            related=places(found),
            confidence=sureness(found, job.span),
        )
    if any(
        isinstance(value, Mapping) and None in (value.get("age", 0), value.get("count", 0)) for value in choices(found)
    ):
        return unsure(f"{name}: {told}; a bound in it is not resolved", told, related=places(found))
    grows = all(_unlimited(value) for value in choices(found))
    notes = (
        (f"{name}: failed jobs are kept for ever and grow without bound",)
        if grows and found.state is not OptionState.ABSENT
        else ()
    )
    return good(told, confidence=sureness(found, job.span), related=places(found), notes=notes)


def _effective(code: CodeModel, job: Producer, name: str) -> Option:
    """The job's own option; where it has none, that of the queue's living workers (BullMQ from 3.0 takes it there)."""
    found = option(job.options, name)
    if found.state is not OptionState.ABSENT or is_bull(job) or not at_least(job, 3):
        return found
    theirs = [option(w.options, name) for w in code.workers if w.live and set(w.queue) & set(job.queue)]
    own = next((each for each in theirs if each.state is not OptionState.ABSENT), found)
    unnamed = not is_named(job) or any(w.live and not is_named(w) for w in code.workers)
    if own is found and unnamed and any(option(w.options, name).state is not OptionState.ABSENT for w in code.workers):
        why = f"a queue's name is not resolved, and some worker sets {name} for its queue"
        return Option(OptionState.UNKNOWN, why=why)
    return own


def _unlimited(value: Json) -> bool:
    if isinstance(value, Mapping):
        count, age = number(value.get("count")), value.get("age")
        unset = "count" not in value or (count is not None and count < 0)
        return (unset and "age" not in value) or (unset and age is False)
    count = number(value)
    return value is None or value is False or (count is not None and count < 0)


def _tight(value: Json, least: Kept) -> str:
    """Why so little survives; empty when enough does."""
    if value is True or (value == 0 and value is not False):
        return "deletes failed jobs at once: nothing is left to look at or to replay"
    count, age = (
        (number(value.get("count")), number(value.get("age"))) if isinstance(value, Mapping) else (number(value), None)
    )
    if count is not None and 0 <= count < least.min_count:
        return f"keeps only {count:g} failed jobs" + (
            " (a bare number is a count, not seconds)" if not isinstance(value, Mapping) else ""
        )
    if age is not None and age < least.min_age_s:
        return f"keeps failed jobs for {age:g} s only (age is in seconds)"
    return ""
