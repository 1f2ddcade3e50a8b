"""Whether a handler that runs twice does the same once (items 11 to 15)."""

from __future__ import annotations

from collections import Counter

from auditor.code.model import CodeModel, Effect, Role, Worker
from auditor.model import Confidence, Finding, Status, Verdict
from auditor.probes import conclude, not_applicable, probe

from ._guards import READS, before, guard_of
from ._handlers import cannot_follow, fills, of, path_of, surely
from ._horizon import outlives
from ._keys import KeyQuality, key_fault, key_quality, key_told
from ._roles import EXTERNAL, SIDE_EFFECTS, WRITES
from ._stages import loose_writes
from ._subjects import (
    MOST_EVIDENCE,
    NO_QUEUES,
    Judged,
    bad,
    by_consumer,
    finding,
    good,
    shows,
    subject_of,
    unreached,
    unsure,
    weakest,
)
from .ids import job_ids


@probe("handler.prior_completion")
def prior_completion(code: CodeModel) -> Verdict:
    """Before its first side effect a handler finds out whether the work was done, or claims it.

    A read keyed by a value of the job whose result decides whether to go on; or a unique insert, upsert, SET NX or lock.
    Of jobs that sweep over rows: a row's own mark, which is looked at first and set with the work.
    Handlers without side effects, or with absolute writes only, pass.
    """
    return by_consumer(_prior, "all {n} handlers check or claim their work first")(code)


@probe("handler.idempotency_keys")
def idempotency_keys(code: CodeModel) -> Verdict:
    """Every creating call that takes an idempotency key gets one that a retry makes again: of job.id, job.data, constants.

    SDKs without such a parameter (SendGrid, SES, Postmark, Mailgun, nodemailer, Braintree) are not judged here: items
    11, 61 and 77 ask for the project's own record.
    """
    keyless = sorted({e.package or e.call for w in code.consumers if w.live for e in w.effects if e.keyless})
    told = f"; {', '.join(keyless)} has no such parameter (see 11, 61, 77)" if keyless else ""
    nothing = f"no call in reach of a handler takes an idempotency key{told}"
    return by_consumer(keys_of, "every creating call carries a deterministic key", nothing)(code)


@probe("handler.transactions")
def transactions(code: CodeModel) -> Verdict:
    """Writes that belong together are one transaction: between two external calls at most one write stands alone.

    A claim before a provider's call and a result after it are two stages, and right so.
    """
    return by_consumer(_atomic, "no handler of {n} workers writes twice in a stage outside a transaction")(code)


@probe("handler.absolute_writes")
def absolute_writes(code: CodeModel) -> Verdict:
    """A second run sets the same values: no increment or decrement outside a transaction that also records the job.

    `$inc`, `increment`, `{ increment: n }`, `x = x + n` in SQL, INCR; counters of metrics are no state.
    """
    return by_consumer(_absolute, "no handler of {n} workers adds to what a first run left")(code)


@probe("handler.duplicate_safe")
def duplicate_safe(code: CodeModel) -> Verdict:
    """A job that runs twice leaves what one run leaves: derived from items 7, 11, 12 and 14, whose findings it cites."""
    if code.empty or not code.workers:
        return not_applicable(NO_QUEUES if code.empty else "no worker consumes a queue")
    parts = {11: _prior, 12: keys_of, 14: _absolute}
    living = [worker for worker in code.consumers if worker.live]
    judged = [
        (w, number, found if living else unreached(found))
        for w in living or code.workers
        for number, rule in parts.items()
        if (found := rule(code, w)) is not None
    ]
    findings = [_rests(worker, number, found) for worker, number, found in judged if found.status is not Status.PASS]
    ids = job_ids(code)
    repeated = any(f.status is Status.FAIL for f in ids.findings)
    beside = (
        "; 7 does not, so a second run does happen" if repeated else ", and 7 too" if ids.status is Status.PASS else ""
    )
    held = f"items 11, 12 and 14 hold for every handler{beside}"
    shown = [shows(worker, found) for worker, _, found in judged if found.status is Status.PASS]
    return conclude(
        findings,
        evidence=shown[:MOST_EVIDENCE],
        held=held,
        confidence=weakest((found.confidence for _, _, found in judged), Confidence.LIKELY),
    )


def _rests(worker: Worker, number: int, found: Judged) -> Finding:
    why = f"{found.message} (item {number})"
    text = bad(why, found.observed, place=found.place, related=found.related, confidence=found.confidence)
    open_ = unsure(why, found.observed, related=found.related)
    return finding(worker, text if found.status is Status.FAIL else open_, subject_of(worker))


def _prior(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    first = first_effect(worker)
    if first is None:
        return cannot_follow(worker, "whether it has side effects") or good(
            f"{name}: no side effect in reach, or absolute writes only", confidence=Confidence.LIKELY
        )
    guard = guard_of(worker, first)
    if guard is None and first.address is not None and key_quality(first.address) is KeyQuality.OPEN:
        return unsure(
            f"{name}: whether {first.call} ({first.span.label()}) stores under the same name on a retry is open",
            related=(first.span,),
        )
    if guard:
        keys = ", ".join(guard.keyed_by)
        asked = (
            f"is keyed by {keys}"
            if keys
            else "asks for what is still open"
            if guard.open_rows
            else "is keyed by the job"
        )
        how = "claims the work" if guard.claims else f"{asked} and decides whether to go on"
        return good(f"{guard.call} ({guard.span.label()}) {how}", confidence=Confidence.LIKELY, related=(guard.span,))
    read = next((e for e in before(worker, first) if e.role in READS and e.keyed_by), None)
    beside = f"; {read.call} ({read.span.label()}) is read before it, but decides nothing" if read else ""
    return bad(
        f"{name}: {path_of(worker, first)} runs with no look at an earlier run{beside}",
        f"first side effect: {first.call}",
        expected="a read keyed by job.data that can stop it, or a claim (unique insert, SET NX)",
        place=first.span,
        related=(*first.calls, *((read.span,) if read else ())),
        confidence=surely(first),
    )


_SETTING_ENDS = ("andupdate", "andreplace", "anddelete", "andremove")
_SETTING = ("update", "delete", "destroy", "set", "remove", "hset", "save", "del", "patch", "replace", "put")


def first_effect(worker: Worker) -> Effect | None:
    """The first call in the handler's reach whose doubling would show; absolute writes don't."""
    shows = (e for e in of(worker, *SIDE_EFFECTS) if not is_absolute(e) and "catch" not in e.within)
    return next((e for e in shows if not (e.claims and e.role in WRITES)), None)


def is_absolute(effect: Effect) -> bool:
    """A write that sets values, or an upload that replaces what lies under its name: a second one changes nothing."""
    if effect.address is not None:
        return key_quality(effect.address) is KeyQuality.SAME
    if effect.role is not Role.DB_WRITE:
        return False
    if effect.text:
        return effect.claims or effect.text in ("UPDATE", "DELETE")
    name = effect.call.rsplit(".", 1)[-1].lower()
    return effect.claims or name.startswith(_SETTING) or name.endswith(_SETTING_ENDS)


def keys_of(code: CodeModel, worker: Worker) -> Judged | None:
    """The judgement of the idempotency keys of all creating calls in reach; None where no call takes one."""
    takes = [e for e in of(worker, *EXTERNAL) if e.key is not None]
    name = subject_of(worker).name
    if not takes:
        return cannot_follow(worker, "which creating calls it makes")
    judged = [(effect, key_quality(effect.key)) for effect in takes]
    wrong = [(effect, quality) for effect, quality in judged if quality in (KeyQuality.MISSING, KeyQuality.RANDOM)]
    if wrong:
        effect = wrong[0][0]
        return bad(
            f"{name}: {path_of(worker, effect)}: {key_fault(effect.key)}; a retry does it twice",
            key_told(effect.key),
            expected="a key of job.id, job.data and constants only",
            place=effect.span,
            related=(*effect.calls, *(e.span for e, _ in wrong[1:6])),
            confidence=surely(effect),
        )
    hazy = next((effect for effect, quality in judged if quality is KeyQuality.OPEN), None)
    if hazy:
        return unsure(
            f"{name}: whether the key of {hazy.call} ({hazy.span.label()}) is the same on a retry is open",
            key_told(hazy.key),
            related=(hazy.span,),
        )
    told = "; ".join(dict.fromkeys(f"{e.call}: {key_told(e.key)}" for e, _ in judged[:3]))
    late = tuple(note for e, _ in judged if (note := outlives(fills(code, worker), e)))
    return good(told, confidence=Confidence.LIKELY, notes=tuple(f"{name}: {note}" for note in late))


def _atomic(_: CodeModel, worker: Worker) -> Judged:
    name, loose = subject_of(worker).name, loose_writes(worker)
    if loose:
        made = Counter(f"{e.call} ({e.span.label()})" for e in loose)
        calls = ", ".join(f"{one} ×{times}" if times > 1 else one for one, times in list(made.items())[:4])
        outside = f"{len(loose)} writes of one stage outside a transaction"
        many = outside if len(loose) > 1 else "a write beside the transaction of its stage"
        return bad(
            f"{name}: {many}: {calls}; a crash in between leaves half",
            calls,
            expected="one transaction",
            place=loose[0].span,
            related=(*loose[0].calls, *(e.span for e in loose[1:8])),
            confidence=surely(loose[0]),
        )
    unseen = cannot_follow(worker, "what it writes")
    return unseen or good(
        f"{name}: {len(of(worker, *WRITES))} writes in reach, none torn apart", confidence=Confidence.LIKELY
    )


def _absolute(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    adds = [e for e in of(worker, Role.DB_INCREMENT) if not _recorded(worker, e)]
    if adds:
        return bad(
            f"{name}: {path_of(worker, adds[0])} adds to what is there: a second run adds again",
            adds[0].call,
            expected="set the value, or add inside the transaction that records the job",
            place=adds[0].span,
            related=(*adds[0].calls, *(e.span for e in adds[1:6])),
            confidence=surely(adds[0]),
        )
    within = next(iter(of(worker, Role.DB_INCREMENT)), None)
    told = f"{within.call} ({within.span.label()}) adds within the transaction that records the work" if within else ""
    return cannot_follow(worker, "whether it adds to stored values") or good(
        f"{name}: {told or 'no increment in reach'}", confidence=Confidence.LIKELY
    )


def _recorded(worker: Worker, effect: Effect) -> bool:
    """Inside a transaction that writes something else as well: a second run finds the record."""
    if "transaction" not in effect.within:
        return False
    return any(
        e.role in WRITES and e is not effect and e.role is not Role.DB_INCREMENT and "transaction" in e.within
        for e in worker.effects
    )
