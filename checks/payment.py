"""Payment and refund jobs: one charge per order (items 73 to 75, 77, 79, 86)."""

from __future__ import annotations

from collections.abc import Callable

from auditor.code.model import CodeModel, Effect, Kind, OptionState, Role, Worker
from auditor.gaps import altered
from auditor.model import Confidence, Finding, Severity, Status, Subject, SubjectType, Verdict
from auditor.probes import not_applicable, probe

from ._guards import before, guard_of, guards_of, takes
from ._handlers import cannot_follow, fills, of, path_of, surely
from ._keys import KeyQuality, key_fault, key_quality, key_told
from ._kinds import PAYMENT, absent, by_handler, handlers, needs_call
from ._roles import WRITES
from ._sends import CHARGES, at_charges
from ._stages import follows
from ._subjects import Judged, bad, good, subject_of, unsure
from .idempotency import keys_of


@probe("payment.idempotency_key")
def idempotency_key(code: CodeModel) -> Verdict:
    """Every creating call to the payment provider carries an idempotency key that a retry makes again.

    Braintree's SDK has none: there the gateway's duplicate checking and item 77 have to do. Calls outside jobs are
    findings of severity medium.
    """
    verdict = by_handler(code, PAYMENT, _keyed, "every charge carries a deterministic key")
    if verdict.status is Status.NOT_APPLICABLE:
        return verdict
    outside = [
        _outside(effect)
        for effect in code.elsewhere
        if effect.role in CHARGES and key_quality(effect.key) is KeyQuality.MISSING and effect.key
    ]
    if not outside:
        return verdict
    return Verdict(
        Status.FAIL,
        verdict.reason if verdict.status is Status.FAIL else outside[0].message,
        Confidence.LIKELY,
        findings=(*verdict.findings, *outside),
        evidence=verdict.evidence,
    )


@probe("payment.prior_status")
def prior_status(code: CodeModel) -> Verdict:
    """Before it charges, the handler reads the payment's or order's status by a value of the job, and stops if it is paid."""
    return by_handler(code, PAYMENT, _status_first, "the status is read before every charge")


@probe("payment.record_first")
def record_first(code: CodeModel) -> Verdict:
    """A record is written before the provider is called: a crash in between leaves a trace to reconcile."""
    return by_handler(code, PAYMENT, _recorded_first, "a record stands before every charge")


@probe("payment.duplicate_charge")
def duplicate_charge(code: CodeModel) -> Verdict:
    """A second charge for one order is detected: a unique key or claim, a status check, or a search at the provider."""
    return by_handler(code, PAYMENT, _duplicate, "a second charge is detected")


@probe("payment.refund_idempotency")
def refund_idempotency(code: CodeModel) -> Verdict:
    """Refunds happen once: a deterministic key on the refund call, or a look or claim before one that carries none.

    A key that each attempt makes anew fails: a refund whose answer was lost is made again under another key.
    """
    none = absent(code, PAYMENT)
    if none:
        return none
    known = handlers(code, PAYMENT)
    refunds = [effect for worker in known for effect in of(worker, Role.REFUND_CREATE)]
    if (
        not refunds
        and known
        and all(worker.followed for worker in known)
        and not any(w.kind == "refund" for w in known)
    ):
        return not_applicable("payment jobs make no refund: no refund call in reach of their handlers")
    return by_handler(code, PAYMENT, _refunds, "every refund happens once", "no payment handler refunds")


@probe("payment.concurrency")
def concurrency(code: CodeModel) -> Verdict:
    """Two jobs for one order don't charge at once: a lock, SELECT … FOR UPDATE, a unique claim, or an id per order."""
    return by_handler(code, PAYMENT, _alone, "one charge at a time per order")


@at_charges("whether its charges carry keys")
def _keyed(code: CodeModel, worker: Worker, moved: tuple[Effect, ...]) -> Judged | None:
    if all(effect.key is None for effect in moved):
        if all(effect.keyless for effect in moved):
            return good(
                f"{moved[0].call}: the SDK takes no key; duplicate checking is the gateway's (see 77)",
                confidence=Confidence.LIKELY,
            )
        return unsure(
            f"{subject_of(worker).name}: whether {moved[0].call} carries an idempotency key could not be resolved",
            related=(moved[0].span,),
        )
    return keys_of(code, _only(worker, moved))


def _only(worker: Worker, effects: tuple[Effect, ...]) -> Worker:
    return altered(worker, effects=effects)


def _outside(effect: Effect) -> Finding:
    text = f"{effect.call} ({effect.span.label()}) is made outside a job with {key_fault(effect.key)}"
    subject = Subject(SubjectType.CLIENT, effect.call)
    return Finding(
        text, subject, effect.span, confidence=Confidence.LIKELY, severity=Severity.MEDIUM, symbol=effect.symbol
    )


@at_charges("what it looks at before the charge")
def _status_first(_: CodeModel, worker: Worker, moved: tuple[Effect, ...]) -> Judged:
    return _guarded(
        worker,
        moved,
        lambda charge: next((g for g in guards_of(worker, charge) if g.role is not Role.LOCK), None),
        "reads no status first",
        "a read of the payment by job data, which stops",
    )


@at_charges("what it looks at before the charge")
def _duplicate(_: CodeModel, worker: Worker, moved: tuple[Effect, ...]) -> Judged:
    return _guarded(
        worker,
        moved,
        lambda charge: guard_of(worker, charge) or next((e for e in before(worker, charge) if takes(e)), None),
        "would not notice that the order was charged",
        "a unique key, a claim, a status check or a search before the charge",
    )


def _guarded(
    worker: Worker,
    moved: tuple[Effect, ...],
    guard: Callable[[Effect], Effect | None],
    lacks: str,
    expected: str,
) -> Judged:
    """Whether something of the kind that `guard` looks for stands before every charge."""
    name = subject_of(worker).name
    found = [guard(effect) for effect in moved]
    bare = next((effect for effect, known in zip(moved, found, strict=True) if known is None), None)
    if bare is not None:
        return bad(
            f"{name}: {path_of(worker, bare)} {lacks}: a retry charges again",
            f"nothing before {bare.call}",
            expected=expected,
            place=bare.span,
            related=bare.calls,
            confidence=surely(bare),
        )
    first = found[0]
    assert first is not None
    return good(
        f"{first.call} ({first.span.label()}) stands before {moved[0].call}",
        confidence=Confidence.LIKELY,
        related=(first.span,),
    )


@at_charges("what it writes before the charge")
def _recorded_first(_: CodeModel, worker: Worker, moved: tuple[Effect, ...]) -> Judged:
    name = subject_of(worker).name
    for effect in moved:
        if not _recorded(worker, effect):
            after = next((e for e in of(worker, *WRITES) if e.order > effect.order), None)
            late = f"; {after.call} ({after.span.label()}) comes after it" if after else ""
            kept = "committed" if "transaction" in effect.within else "written"
            return bad(
                f"{name}: {path_of(worker, effect)} is called before anything is {kept}{late}: a crash leaves a charge without a record",
                f"nothing {kept} before {effect.call}",
                expected="a pending record before the provider's call",
                place=effect.span,
                related=(*effect.calls, *((after.span,) if after else ())),
                confidence=surely(effect),
            )
    first = _recorded(worker, moved[0])[0]
    return good(
        f"{first.call} ({first.span.label()}) before {moved[0].call}",
        confidence=Confidence.LIKELY,
        related=(first.span,),
    )


def _recorded(worker: Worker, charge: Effect) -> list[Effect]:
    """Writes that are there for good when the charge is made: before it on its path, and not in the transaction around it."""
    earlier = [write for write in of(worker, *WRITES) if write.order < charge.order and follows(write, charge)]
    return [e for e in earlier if "catch" not in e.within and not _share_transaction(worker, e, charge)]


def _share_transaction(worker: Worker, write: Effect, charge: Effect) -> bool:
    """Whether both stand in one transaction: none is begun between them."""
    if not all("transaction" in one.within for one in (write, charge)):
        return False
    return not any(write.order < one.order < charge.order for one in of(worker, Role.DB_TRANSACTION))


def _refunds(code: CodeModel, worker: Worker) -> Judged | None:
    refunds = of(worker, Role.REFUND_CREATE)
    if not refunds:
        if worker.kind is Kind.REFUND:
            return needs_call(worker, "whether it refunds", Role.REFUND_CREATE)
        return cannot_follow(worker, "whether it refunds")
    judged = [key_quality(effect.key) for effect in refunds if effect.key is not None]
    if KeyQuality.RANDOM in judged:  # an attempt that goes on after a crash makes another key, whatever a record says
        return keys_of(code, _only(worker, refunds))
    if judged and all(quality is KeyQuality.SAME for quality in judged):
        return good(
            f"{refunds[0].call}: {key_told(refunds[0].key)}", confidence=Confidence.LIKELY, related=(refunds[0].span,)
        )
    if all(guard_of(worker, effect) for effect in refunds):
        return good(f"an earlier refund is looked up before {refunds[0].call}", confidence=Confidence.LIKELY)
    if judged and KeyQuality.OPEN in judged and not {KeyQuality.MISSING, KeyQuality.RANDOM} & set(judged):
        return unsure(f"{subject_of(worker).name}: whether the key of {refunds[0].call} is the same on a retry is open")
    return keys_of(code, _only(worker, refunds)) or bad(
        f"{subject_of(worker).name}: {path_of(worker, refunds[0])}: nothing stops a second refund",
        f"{refunds[0].call}: no key, no claim",
        expected="a deterministic key, or a claim",
        place=refunds[0].span,
        related=refunds[0].calls,
        confidence=surely(refunds[0]),
    )


@at_charges("whether two of its jobs can charge one order")
def _alone(code: CodeModel, worker: Worker, moved: tuple[Effect, ...]) -> Judged:
    name = subject_of(worker).name
    bare = next(
        (e for e in moved if not any(c.order < e.order and takes(c) for c in worker.effects)),
        None,
    )
    if bare is None:
        return good(f"{name}: a lock or claim stands before {moved[0].call}", confidence=Confidence.LIKELY)
    jobs = fills(code, worker)
    if jobs and all(job.job_id is True for job in jobs):
        return good(
            f"{name}: one job id per order, so the queue holds one job of it",
            confidence=Confidence.LIKELY,
            related=(jobs[0].span,),
        )
    if any(
        job.job_id is None and "jobId" in job.options and job.options["jobId"].state is OptionState.UNKNOWN
        for job in jobs
    ):
        return unsure(
            f"{name}: no lock before {bare.call}, and whether its jobs' ids are per order could not be resolved"
        )
    return bad(
        f"{name}: {path_of(worker, bare)} has no lock, claim or id per order before it: two jobs charge at once",
        f"no lock before {bare.call}",
        expected="redlock, SET NX, FOR UPDATE, an advisory lock, or a dedup id per order",
        place=bare.span,
        related=bare.calls,
        confidence=surely(bare),
    )
