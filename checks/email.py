"""Mail jobs: once, at the provider's pace, to those who want it (items 61 to 65, 71)."""

from __future__ import annotations

import re

from auditor.code.model import CodeModel, Effect, OptionState, Producer, Role, Worker
from auditor.model import Confidence, Evidence, Finding, Subject, SubjectType, Verdict
from auditor.probes import failed, passed, probe, unverified

from ._conditions import condition_of
from ._handlers import fills, of, path_of
from ._horizon import outlives
from ._keys import KeyQuality, key_fault, key_quality, key_told
from ._kinds import (
    EMAIL,
    absent,
    by_handler,
    by_job,
    consumed_elsewhere,
    first_site,
    handlers,
    main_call,
    needs_call,
    producers,
)
from ._options import described, option, places
from ._subjects import Judged, bad, good, subject_of, unsure
from ._versions import is_bull
from .mint import identified

MARKETING = frozenset(
    {
        "marketing",
        "campaign",
        "campaigns",
        "newsletter",
        "promo",
        "promotion",
        "promotional",
        "bulk",
        "broadcast",
        "digest",
        "blast",
        "announcement",
    }
)
CONSENT = (
    "unsubscri",
    "suppress",
    "optout",
    "opt_out",
    "optedout",
    "preference",
    "subscribed",
    "consent",
    "blocklist",
    "blacklist",
    "donotcontact",
)
LIMITERS = ("ratelimit", "tokenbucket", "bottleneck", "limiter", "throttle")


@probe("email.idempotency_key")
def idempotency_key(code: CodeModel) -> Verdict:
    """A mail is identified by its notification: a deterministic job id, or a sent-check before the send."""
    return by_job(code, EMAIL, identified, "every mail job is identified by its notification")


@probe("email.provider_idempotency")
def provider_idempotency(code: CodeModel) -> Verdict:
    """Where the provider takes an idempotency key (Resend's second argument, Brevo's header), it gets a deterministic one.

    SendGrid, SES, Postmark, Mailgun and nodemailer take none: not applicable, and the provider is named.
    """
    keyless = sorted(
        {
            e.package or e.call
            for w in handlers(code, EMAIL)
            for e in w.effects
            if e.role is Role.EMAIL_SEND and e.keyless
        }
    )
    nothing = f"{', '.join(keyless) or 'the mailer'} takes no idempotency key: see 11 and 61"
    return by_handler(code, EMAIL, _provider_key, "the provider gets a deterministic key", nothing)


@probe("email.rate_limit")
def rate_limit(code: CodeModel) -> Verdict:
    """Mail goes out at the provider's pace: a limiter on the worker (Bull: queue), the transport, or a token bucket."""
    return by_handler(code, EMAIL, _limited, "mail goes out at the provider's pace")


@probe("email.bounces")
def bounces(code: CodeModel) -> Verdict:
    """Bounces come back: a webhook, SNS or event handler reads them and writes to the recipient's record."""
    none = absent(code, EMAIL)
    if none:
        return none
    heard = [
        e
        for e in (*code.elsewhere, *(e for w in code.workers if w.live for e in w.effects))
        if e.role is Role.EMAIL_BOUNCE
    ]
    if heard:
        shown = Evidence(
            heard[0].span.label(), f"{heard[0].call} reads bounces", place=heard[0].span, confidence=Confidence.LIKELY
        )
        return passed("bounces are read", shown, confidence=Confidence.LIKELY)
    if not code.elsewhere_known:
        return unverified("code outside job handlers was not looked through for a bounce handler")
    away = consumed_elsewhere(code, EMAIL)
    if away:
        return away
    sender = first_site(code, EMAIL)
    text = (
        "nothing reads the provider's bounces: mail keeps going to dead addresses, and the sender's reputation with it"
    )
    shown = Evidence(
        sender.span.label(), "no bounce or complaint handler in living code", "one that writes", sender.span
    )
    subject = Subject(SubjectType.PROJECT, "bounces", service=sender.service)
    return failed(text, Finding(text, subject, sender.span, evidence=(shown,), confidence=Confidence.LIKELY))


@probe("email.unsubscribe")
def unsubscribe(code: CodeModel) -> Verdict:
    """Before a mail goes out somebody asks whether it is wanted: a suppression, unsubscribe or preference read.

    Senders of transactional mail alone (no marketing word in queue and job names) pass, likely.
    """
    return by_handler(code, EMAIL, _wanted, "every mail is wanted, or transactional")


@probe("email.priority")
def priority(code: CodeModel) -> Verdict:
    """Transactional mail goes before marketing: by priority, or in a queue of its own."""
    return by_job(code, EMAIL, _apart, "transactional mail does not wait behind marketing")


def is_marketing(*texts: str | None) -> bool:
    """Whether a queue's or job's name speaks of marketing."""
    words = {w.lower() for text in texts if text for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", text)}
    return bool(words & MARKETING)


def _provider_key(code: CodeModel, worker: Worker) -> Judged | None:
    name, sent = subject_of(worker).name, of(worker, Role.EMAIL_SEND)
    if not sent:
        return needs_call(worker, "which provider it uses", Role.EMAIL_SEND)
    takes = [effect for effect in sent if effect.key is not None]
    if not takes:
        keyless = all(effect.keyless for effect in sent)
        return (
            None
            if keyless
            else unsure(f"{name}: whether the provider of {sent[0].call} takes an idempotency key is not known")
        )
    order = [KeyQuality.MISSING, KeyQuality.RANDOM, KeyQuality.OPEN, KeyQuality.SAME]
    worst = min(takes, key=lambda effect: order.index(key_quality(effect.key)))
    quality = key_quality(worst.key)
    if quality is KeyQuality.SAME:
        late = outlives(fills(code, worker), worst)
        notes = (f"{name}: {late}",) if late else ()
        return good(
            f"{worst.call}: {key_told(worst.key)}", confidence=Confidence.LIKELY, related=(worst.span,), notes=notes
        )
    if quality is KeyQuality.OPEN:
        return unsure(
            f"{name}: whether the key of {worst.call} is the same on a retry is open",
            key_told(worst.key),
            related=(worst.span,),
        )
    return bad(
        f"{name}: {path_of(worker, worst)}: {key_fault(worst.key)}; a retry mails again",
        key_told(worst.key),
        expected="a key of job.id or job.data",
        place=worst.span,
        related=worst.calls,
        confidence=Confidence.LIKELY,
    )


def _limited(code: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    own = [queue.options for queue in code.queues if queue.live and queue.name in worker.queue]
    holders = [worker.options, *(own if is_bull(worker) else [])]
    for options in holders:
        found = next((value for key, value in options.items() if key == "limiter" or key.startswith("limiter.")), None)
        if found and found.state is not OptionState.ABSENT:
            return good(described("limiter", found), confidence=Confidence.LIKELY, related=places(found))
    slowed = next(
        (
            e
            for e in worker.effects
            if (e.role is Role.DELAY and "rate" in e.call.lower()) or any(w in e.call.lower() for w in LIMITERS)
        ),
        None,
    )
    if slowed:
        return good(f"{slowed.call} ({slowed.span.label()})", confidence=Confidence.LIKELY, related=(slowed.span,))
    sent = of(worker, Role.EMAIL_SEND)
    clients = [
        c
        for c in code.clients
        if c.span in {e.client for e in sent} and {"rateLimit", "rateDelta", "maxMessages"} & set(c.options)
    ]
    if clients:
        return good(f"{clients[0].call} has a rate limit", confidence=Confidence.LIKELY, related=(clients[0].span,))
    if not worker.followed:
        return unsure(f"{name}: no limiter on the worker, and its handler's reach could not be followed to see another")
    return bad(
        f"{name}: no limiter on the worker and no rate limit on the transport: a burst runs into the provider's limit",
        "limiter: not set",
        expected="limiter: { max, duration } by the provider's limit",
        related=tuple(e.span for e in sent[:2]),
        confidence=Confidence.LIKELY,
        fix="new Worker(name, processor, { limiter: { max: 10, duration: 1000 } }); Bull: limiter in the queue's options",
    )


def _wanted(code: CodeModel, worker: Worker) -> Judged:
    name, send = subject_of(worker).name, main_call(worker, Role.EMAIL_SEND)
    asked = next((e for e in worker.effects if (send is None or e.order < send.order) and _asks(e)), None)
    test = condition_of(worker, CONSENT, before=send)
    if asked or test:
        span = asked.span if asked else test.span if test else worker.span
        return good(
            f"{name}: consent is looked up before the send ({span.label()})",
            confidence=Confidence.LIKELY,
            related=(span,),
        )
    jobs = [job for job in producers(code, EMAIL) if set(job.queue) & set(worker.queue)]
    marketing = next((job for job in jobs if is_marketing(job.job, *job.queue)), None)
    if marketing is None and not is_marketing(*worker.queue, *worker.jobs, worker.handler_name):
        return good(f"{name}: transactional mail only, by the names of its jobs", confidence=Confidence.LIKELY)
    if send is None:
        return needs_call(worker, "whether it asks for consent", Role.EMAIL_SEND)
    return bad(
        f"{name}: {path_of(worker, send)} mails marketing without a look at who unsubscribed",
        "no suppression, unsubscribe or preference read before the send",
        expected="a read that stops",
        place=send.span,
        related=(marketing.span,) if marketing else (),
        confidence=Confidence.LIKELY,
    )


def _asks(effect: Effect) -> bool:
    text = f"{effect.call} {effect.target}".lower()
    return effect.role in (Role.DB_READ, Role.HTTP_READ) and any(word in text for word in CONSENT)


def _apart(code: CodeModel, job: Producer) -> Judged:
    name = subject_of(job).name
    if not is_marketing(job.job, *job.queue):
        return good(f"{name}: transactional", confidence=Confidence.LIKELY)
    peers = [
        p
        for p in producers(code, EMAIL)
        if p.live and set(p.queue) & set(job.queue) and not is_marketing(p.job, *p.queue)
    ]
    found = option(job.options, "priority")
    if not peers:
        return good(f"{name}: marketing has a queue of its own", confidence=Confidence.LIKELY)
    if found.state is OptionState.UNKNOWN:
        return unsure(f"{name}: {described('priority', found)}", related=places(found))
    if found.state is OptionState.ABSENT:
        message = f"{name}: marketing shares the queue with transactional mail and has no priority: a password reset waits behind a campaign"
        return bad(
            message,
            "priority: not set",
            expected="a larger number than transactional mail",
            related=(peers[0].span,),
            confidence=Confidence.LIKELY,
        )
    return good(described("priority", found), confidence=Confidence.LIKELY, related=places(found))
