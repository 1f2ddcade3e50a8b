"""Whether a job's backoff does what it should (item 2)."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.code.model import CodeModel, Json, Option, OptionState, Producer

from ._options import choices, described, number, option, places, sureness
from ._roles import REMOTE
from ._subjects import Judged, bad, good, subject_of, unsure
from ._versions import is_bull

BUILT_IN = ("fixed", "exponential")


def backoff_of(code: CodeModel, job: Producer) -> Judged | None:
    """The judgement of one producer's backoff; None for one that fills a dead-letter queue."""
    if job.dead_letter:
        return None
    tries, found = option(job.options, "attempts"), option(job.options, "backoff")
    name, told = subject_of(job).name, f"{described('attempts', tries)}; {described('backoff', found)}"
    related = places(found, tries)
    pairs = _pairs(tries, found)
    if all(_once(made) for made, _ in pairs) and tries.state is not OptionState.UNKNOWN:
        return good(f"{described('attempts', tries)}: nothing to back off", confidence=sureness(tries, job.span))
    if found.state is OptionState.UNKNOWN:
        return unsure(f"{name}: {described('backoff', found)}", told, related=related)
    wrong = [why for made, value in pairs if not _once(made) and made is not ... and (why := _wrong(code, job, value))]
    if wrong:
        return bad(
            f"{name} {wrong[0]}",
            told,
            expected="a backoff with delay > 0: exponential for remote APIs",
            related=related,
            confidence=sureness(found if found.state is not OptionState.ABSENT else tries, job.span),
            fix="backoff: { type: 'exponential', delay: 2000 } beside attempts",
        )
    hazy = [why for made, value in pairs if (why := _open(code, job, made, value))]
    if hazy:
        return unsure(f"{name}: {hazy[0]}", told, related=related)
    return good(told, confidence=sureness(found, job.span), related=related, notes=_advice(code, job, name, found))


def _pairs(tries: Option, found: Option) -> list[tuple[object, Json]]:
    """(attempts, backoff) as they go together; call sites are in one order where both vary. `...`: attempts not known."""
    made: tuple[object, ...] = choices(tries) or (...,)
    waits: tuple[Json, ...] = choices(found) or (None,)
    if len(made) == len(waits):
        return list(zip(made, waits, strict=True))
    return [(m, w) for m in made for w in waits]


def _once(made: object) -> bool:
    return made is None or (isinstance(made, int | float) and made <= 1)


def _wrong(code: CodeModel, job: Producer, value: Json) -> str:
    """Why this backoff fails; empty when it does not, or when it can't be told."""
    if value is None:
        return "retries at once: more than one attempt and no backoff"
    if (plain := number(value)) is not None:
        return "" if plain > 0 else f"waits {plain:g} ms between attempts: no backoff"
    if not isinstance(value, Mapping):
        return f"has a backoff that is neither a number nor {{ type, delay }}: {value!r}"
    delay, kind = value.get("delay"), value.get("type")
    if kind in BUILT_IN and ("delay" not in value or (number(delay) is not None and (number(delay) or 0) <= 0)):
        return f"has {kind} backoff with delay {delay or 0}: every retry comes at once"
    if isinstance(kind, str) and kind not in BUILT_IN and _strategy(code, job) is False:
        where = (
            "the queue's settings.backoffStrategies"
            if is_bull(job)
            else "settings.backoffStrategy of the queue's worker"
        )
        return f"names backoff type {kind!r}, but {where} is not there: the retry itself throws"
    return ""


def _open(code: CodeModel, job: Producer, made: object, value: Json) -> str:
    """What of attempts and backoff can't be told; empty where nothing is open."""
    if made is ... and value is None:
        return "it has no backoff, and whether it is tried again is not resolved"
    return _wrong(code, job, value) or _hazy(code, job, value)


def _hazy(code: CodeModel, job: Producer, value: Json) -> str:
    if not isinstance(value, Mapping):
        return ""
    kind = value.get("type")
    if kind is None:
        return "the backoff's type is not resolved"
    if isinstance(kind, str) and kind not in BUILT_IN:
        return (
            ""
            if _strategy(code, job)
            else f"backoff type {kind!r} needs a strategy, and the worker of this queue could not be seen"
        )
    return "the backoff's delay is not resolved" if value.get("delay") is None else ""


def _strategy(code: CodeModel, job: Producer) -> bool | None:
    """Whether a custom strategy exists for the job's queue; None when no worker or queue object of it is visible."""
    holders = [queue.options for queue in code.queues if queue.name in job.queue] if is_bull(job) else []
    holders += [worker.options for worker in code.workers if set(worker.queue) & set(job.queue)]
    if not holders:
        return None
    for options in holders:
        for name, found in options.items():
            inside = found.value if isinstance(found.value, Mapping) else {}
            if "backoffStrateg" in name or (name == "settings" and any("backoffStrateg" in key for key in inside)):
                return True
            if name == "settings" and found.state is OptionState.UNKNOWN:
                return None
    return False


def _advice(code: CodeModel, job: Producer, name: str, found: Option) -> tuple[str, ...]:
    fixed = any(number(v) is not None or (isinstance(v, Mapping) and v.get("type") == "fixed") for v in choices(found))
    remote = [e for w in code.consumers if set(w.queue) & set(job.queue) for e in w.effects if e.role in REMOTE]
    if not fixed or not remote:
        return ()
    return (
        f"{name}: fixed backoff, though its handler calls {remote[0].call}: exponential with jitter spreads the retries",
    )
