"""What surrounds a charge: webhook, errors, checks, logs, settlement (items 76, 78, 80 to 85, 87)."""

from __future__ import annotations

import re
from collections.abc import Collection

from auditor.code.model import CodeModel, Effect, OptionState, Producer, Role, Worker
from auditor.live.model import LiveRedis
from auditor.model import Cause, Confidence, Evidence, Finding, Status, Subject, SubjectType, Verdict
from auditor.probes import failed, passed, probe, unverified

from . import _live
from ._conditions import condition_of
from ._handlers import of, path_of, surely
from ._kinds import PAYMENT, absent, by_handler, by_job, consumed_elsewhere, first_site, named_only, needs_call
from ._live import LiveSide
from ._options import described, numbers, option, places, sureness
from ._roles import WRITES
from ._sends import CHARGES, at_charges, charges
from ._sensitive import card_key
from ._sources import join, queue_names
from ._subjects import Judged, bad, good, jobs_of, subject_of, unsure
from .payload import data_keys

NOTICES = frozenset({Role.NOTIFY, Role.EMAIL_SEND, Role.ENQUEUE})
DECLINES = ("card", "decline", "invalid", "insufficient", "authentication", "4xx", "validation")
TRANSIENT = (
    "connection",
    "ratelimit",
    "rate_limit",
    "api_error",
    "apierror",
    "timeout",
    "idempotency",
    "5xx",
    "network",
    "econn",
)
FRAUD = ("fraud", "risk", "radar", "outcome", "review", "sift", "score")
AMOUNT = ("amount", "currency", "price", "total", "cents")
SETTLEMENT = ("settle", "payout", "reconcil")
LEAKS = (
    "client_secret",
    "clientsecret",
    "cardnumber",
    "card_number",
    "cvv",
    "cvc",
    "paymentmethod",
    "payment_method",
    "stripeerror",
    "response",
)


@probe("payment.webhook")
def webhook(code: CodeModel) -> Verdict:
    """The provider's webhook is verified and writes the payment's state: what a job missed is made good."""
    none = absent(code, PAYMENT)
    if none:
        return none
    reach = (*code.elsewhere, *(effect for worker in code.workers if worker.live for effect in worker.effects))
    heard = [effect for effect in reach if effect.role is Role.PAYMENT_WEBHOOK]
    wrote = [h for h in heard if any(e.role in WRITES | {Role.ENQUEUE} and e.span.path == h.span.path for e in reach)]
    if heard:
        first = (wrote or heard)[0]
        shown = Evidence(
            first.span.label(), f"{first.call} checks the signature", place=first.span, confidence=Confidence.LIKELY
        )
        return passed(
            "the provider's webhook is verified" + (" and writes" if wrote else ""), shown, confidence=Confidence.LIKELY
        )
    if not code.elsewhere_known:
        return unverified("code outside job handlers was not looked through for a payment webhook")
    return consumed_elsewhere(code, PAYMENT) or _lacking(
        code,
        "no webhook of the payment provider is verified anywhere: a charge that a job lost track of is never reconciled",
        "webhook",
    )


@probe("payment.failure_notice")
def failure_notice(code: CodeModel) -> Verdict:
    """A customer learns that the payment failed: the failed listener or the handler's catch sends or enqueues a notice."""
    return by_handler(code, PAYMENT, _notice, "a failed payment is told to the customer")


@probe("payment.amount_validation")
def amount_validation(code: CodeModel) -> Verdict:
    """Amount and currency are checked before the charge: by a schema, or by conditions that stop."""
    return by_handler(code, PAYMENT, _validated, "amounts are checked before every charge")


@probe("payment.error_categories")
def error_categories(code: CodeModel) -> Verdict:
    """Errors of the provider are told apart: a declined card is final (UnrecoverableError, discard), an outage is retried."""
    return by_handler(code, PAYMENT, _categories, "declines and outages are told apart")


@probe("payment.decline_retries")
def decline_retries(code: CodeModel) -> Verdict:
    """A declined card is not charged again and again: declines end the job, or attempts are 5 at most."""
    return by_job(code, PAYMENT, _declines, "declines are not retried for ever")


@probe("payment.fraud_check")
def fraud_check(code: CodeModel) -> Verdict:
    """A fraud check's result is read and acted on: Radar's outcome, a risk level, or an own check that stops."""
    return by_handler(code, PAYMENT, _fraud, "fraud results are respected")


@probe("payment.tokens_logged")
def tokens_logged(code: CodeModel) -> Verdict:
    """No log call in the payment handlers' reach prints a token, client secret, card data or raw provider response."""
    return by_handler(code, PAYMENT, _quiet, "no payment secret is logged")


@probe("payment.pci_data")
def pci_data(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """No card number, security code or track data in job data: by key in code, by Luhn and range in sampled jobs."""
    return join(code, live, _pci, _live.pci)


@probe("payment.settlement")
def settlement(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """A scheduled job settles or reconciles payments with the provider, in code or as a scheduler in Redis."""
    running = _schedulers(live).held if live else ()
    if code is not None and _settled(code).status is Status.FAIL and running:
        queue, job = running[0]
        shown = Evidence(f"schedulers of {queue}", job or queue, confidence=Confidence.LIKELY)
        return passed(f"Redis holds a scheduler of {job or queue}", shown, confidence=Confidence.LIKELY)
    return join(code, live, _settled, _schedulers)


def _pci(code: CodeModel) -> Verdict:
    return by_job(code, PAYMENT, _cards, "no card data in the jobs' data")


def _cards(_: CodeModel, job: Producer) -> Judged:
    name, keys = subject_of(job).name, data_keys(job)
    hits = [(key, word, span) for key, span in keys if key not in job.encrypted and (word := card_key(key))]
    if hits:
        key, word, span = hits[0]
        return bad(
            f"{name} puts {key} into the job: {word} must never lie in a queue",
            f"data key {key}",
            expected="the provider's token",
            related=(span,),
            confidence=Confidence.LIKELY,
        )
    if job.data.state is OptionState.UNKNOWN and not keys:
        return unsure(f"{name}: the keys of its data could not be resolved; a Redis URL shows them")
    return good(f"data: {', '.join(key for key, _ in keys[:8]) or 'none'}", confidence=Confidence.LIKELY)


def _settled(code: CodeModel) -> Verdict:
    none = absent(code, PAYMENT)
    if none:
        return none
    for job in jobs_of(code):
        if job.live and _settles(job):
            shown = Evidence(
                job.span.label(),
                f"{job.method} schedules {job.job or job.queue}",
                place=job.span,
                confidence=Confidence.LIKELY,
            )
            return passed("settlement is scheduled", shown, confidence=Confidence.LIKELY)
    for clock in code.elsewhere:
        named = f"{clock.text} {clock.symbol} {clock.span.path.rsplit('/', 1)[-1]}".lower()
        if clock.role is Role.SCHEDULE and any(word in named for word in SETTLEMENT):
            shown = Evidence(
                clock.span.label(), f"{clock.call} schedules it", place=clock.span, confidence=Confidence.LIKELY
            )
            return passed("settlement is scheduled", shown, confidence=Confidence.LIKELY)
    dead = next((job for job in jobs_of(code) if not job.live and _settles(job)), None)
    if dead is not None:
        return unverified(
            f"{dead.method} at {dead.span.label()} schedules a settlement job, but is written and never reached",
            Cause.UNRESOLVED,
        )
    looked = ", ".join(sorted(queue_names(code))[:6])
    return _lacking(
        code,
        f"no scheduled settlement, payout or reconcile job (looked at schedulers and repeatables of {looked})",
        "settlement",
    )


def _settles(job: Producer) -> bool:
    """Whether a job is scheduled whose names speak of settlement."""
    named = _named(job).lower()
    return (job.repeats or job.scheduler is not None) and any(word in named for word in SETTLEMENT)


def _schedulers(live: LiveRedis) -> LiveSide:
    held = tuple(
        (queue.name, s.job)
        for queue in live.queues
        for s in queue.schedulers
        if any(w in f"{queue.name} {s.job} {s.key}".lower() for w in SETTLEMENT)
    )
    return LiveSide(held=held)


def _pays(code: CodeModel) -> bool:
    """Whether any call of the code moves money."""
    reach = (*code.elsewhere, *(effect for worker in code.workers for effect in worker.effects))
    return any(effect.role in CHARGES for effect in reach)


def _lacking(code: CodeModel, text: str, name: str) -> Verdict:
    site = first_site(code, PAYMENT)
    shown = Evidence(site.span.label(), text, place=site.span)
    subject = Subject(SubjectType.PROJECT, name, service=site.service)
    told = Confidence.POSSIBLE if named_only(site) and not _pays(code) else Confidence.LIKELY
    return failed(text, Finding(text, subject, site.span, evidence=(shown,), confidence=told))


def _notice(code: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    buried = {
        queue for job in code.producers if job.dead_letter and not _NOTIFIES.search(_named(job)) for queue in job.queue
    }
    own = [e for e in worker.effects if "catch" in e.within and _tells_customer(e, buried)]
    own += [
        e
        for item in worker.listeners
        if item.live and item.event == "failed"
        for e in item.effects
        if _tells_customer(e, buried)
    ]
    if own:
        return good(
            f"{own[0].call} ({own[0].span.label()}) on failure", confidence=Confidence.LIKELY, related=(own[0].span,)
        )
    if not worker.followed:
        return unsure(f"{name}: its handler's reach could not be followed to see whom it tells of a failure")
    return bad(
        f"{name}: a failed payment is told to nobody",
        "no notice in a catch or failed listener",
        expected="a mail or notification job on failure",
        confidence=Confidence.POSSIBLE if named_only(worker) else Confidence.LIKELY,
    )


def _tells_customer(effect: Effect, buried: Collection[str]) -> bool:
    """A notice; a job put into a dead-letter queue tells an operator, not the customer."""
    if effect.role is not Role.ENQUEUE:
        return effect.role in NOTICES
    queues = effect.target.split("|") if effect.target else []
    return not queues or not all(queue in buried or _BURIES.search(queue) for queue in queues)


def _named(job: Producer) -> str:
    return " ".join((job.job or "", *job.queue, job.symbol))


_NOTIFIES = re.compile(r"notif|mail|sms|push|message|customer|receipt", re.I)
_BURIES = re.compile(r"dead.?letter|\bdlq\b|[-_:]dlq$|^failed", re.I)


@at_charges("what it checks before the charge")
def _validated(_: CodeModel, worker: Worker, moved: tuple[Effect, ...]) -> Judged:
    name = subject_of(worker).name
    schema = next((e for e in of(worker, Role.VALIDATE) if e.order < moved[0].order and not _lets_pass(e)), None)
    test = condition_of(worker, AMOUNT, before=moved[0])
    if schema or test:
        span = schema.span if schema else test.span if test else moved[0].span
        return good(f"{name}: checked at {span.label()}", confidence=Confidence.LIKELY, related=(span,))
    return bad(
        f"{name}: {path_of(worker, moved[0])} charges an amount that nothing checked",
        "no schema or amount check before the charge",
        expected="amount > 0, integer, a known currency",
        place=moved[0].span,
        related=moved[0].calls,
        confidence=surely(moved[0]),
    )


def _lets_pass(schema: Effect) -> bool:
    """Whether a schema takes whatever stands in its amount or currency: `z.any()`."""
    return any(word in name.lower() for name in schema.unchecked for word in AMOUNT)


@at_charges("which errors it tells apart")
def _categories(_: CodeModel, worker: Worker, moved: tuple[Effect, ...]) -> Judged:
    name = subject_of(worker).name
    for catch in worker.catches:
        told = [word for word in catch.tells if any(part in word.lower() for part in (*DECLINES, *TRANSIENT))]
        if told:
            return good(
                f"catch at {catch.span.label()} tells {', '.join(told[:3])} apart",
                confidence=Confidence.LIKELY,
                related=(catch.span,),
            )
    return bad(
        f"{name}: no catch around {moved[0].call} tells a declined card from an outage: both are retried, or neither",
        f"{len(worker.catches)} catches, none looks at the error's type",
        expected="StripeCardError and the like end the job, the rest is retried",
        place=moved[0].span,
        related=(*moved[0].calls, *tuple(catch.span for catch in worker.catches[:4])),
        confidence=surely(moved[0]),
    )


def _declines(code: CodeModel, job: Producer) -> Judged:
    name, tries = subject_of(job).name, option(job.options, "attempts")
    ends = [
        c
        for w in code.consumers
        if set(w.queue) & set(job.queue)
        for c in w.catches
        if {"unrecoverable", "discard"} & set(c.does)
    ]
    if ends:
        return good(
            f"{name}: a decline ends the job ({ends[0].span.label()})",
            confidence=Confidence.LIKELY,
            related=(ends[0].span,),
        )
    made = numbers(tries)
    if tries.state is OptionState.ABSENT or (made and max(made) <= 5):
        return good(described("attempts", tries), confidence=sureness(tries, job.span), related=places(tries))
    if made is None:
        return unsure(
            f"{name}: {described('attempts', tries)}, and no catch makes a decline final", related=places(tries)
        )
    return bad(
        f"{name}: {max(made):g} attempts, and nothing makes a decline final",
        described("attempts", tries),
        expected="UnrecoverableError, or 5 attempts at most",
        related=places(tries),
        confidence=sureness(tries, job.span),
    )


def _fraud(_: CodeModel, worker: Worker) -> Judged:
    name, moved = subject_of(worker).name, [e for e in charges(worker) if e.role is not Role.REFUND_CREATE]
    if not moved and charges(worker):
        return good(f"{name}: it only gives money back", confidence=Confidence.LIKELY)
    if not moved:
        return needs_call(worker, "whether it respects fraud results", Role.PAYMENT_CREATE)
    test = condition_of(worker, FRAUD)
    asked = next((e for e in worker.effects if e.guards and any(word in e.call.lower() for word in FRAUD)), None)
    if test or asked:
        span = test.span if test else asked.span if asked else moved[0].span
        return good(f"{name}: a fraud result decides at {span.label()}", confidence=Confidence.LIKELY, related=(span,))
    return bad(
        f"{name}: {path_of(worker, moved[0])}: no fraud or risk result is read before or after the charge",
        "no condition on fraud, risk or outcome",
        expected="Radar's outcome or an own check that stops",
        place=moved[0].span,
        related=moved[0].calls,
        confidence=surely(moved[0]),
    )


def _quiet(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    logs = [*of(worker, Role.LOG), *(e for item in worker.listeners for e in item.effects if e.role is Role.LOG)]
    loud = next((effect for effect in logs if _leaks(effect)), None)
    if loud:
        return bad(
            f"{name}: {loud.call} ({loud.span.label()}) prints {_leaks(loud)}",
            loud.text,
            expected="ids only",
            place=loud.span,
            confidence=surely(loud),
        )
    if not worker.followed:
        return unsure(f"{name}: its handler's reach could not be followed to see what it logs")
    return good(
        f"{name}: {len(logs)} log calls, none prints a token, secret or card data", confidence=Confidence.LIKELY
    )


def _leaks(effect: Effect) -> str:
    """What a log call prints that it must not; empty when nothing."""
    squeezed = re.sub(r"[\s'\"]", "", effect.text.lower())
    return next((word for word in LEAKS if re.search(rf"[.{{,(]{word}\b", squeezed)), "")
