"""What surrounds a send: templates, attachments, logs, retries, failures, time (items 66 to 70, 72)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from auditor.code.model import CodeModel, Effect, OptionState, Producer, Role, Worker
from auditor.model import Confidence, Verdict
from auditor.probes import conclude, probe

from ._handlers import of, path_of
from ._kinds import EMAIL, by_handler, by_job, handlers, main_call, needs_call
from ._options import choices, described, number, option, places, sureness
from ._roles import KEEPS
from ._subjects import Judged, bad, finding, good, subject_of, unsure
from .resources import clients_and_calls, nor_have, unbounded

_CONTENT = r"(?:html|body|password|token)"
_PRINTED = re.compile(
    rf"(?:^|[\s({{,[:.]){_CONTENT}(?=\s*(?:[,)}}\]]|$))|\b{_CONTENT}\s*:\s*+(?!true|false|\d|''|!|Boolean|[\w.?!]*\.length)",
    re.I,
)
"""What a log of a mail must not hold: as the last name of what is printed, or as a field."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
BUSY = ("429", "rate", "throttl", "toomany", "too many", "retry-after", "retryafter", "sendingpaused", "quota")


@probe("email.template_errors")
def template_errors(code: CodeModel) -> Verdict:
    """A template that does not render is no outage: it is caught, and made unrecoverable or recorded, not retried."""
    return by_handler(code, EMAIL, _rendered, "template errors are told apart", "no mail handler renders a template")


@probe("email.attachments")
def attachments(code: CodeModel) -> Verdict:
    """Attachments travel by reference (path, href, storage key), never as contents in job data."""
    held = "no attachment's contents are put into a job"
    carried = [(w, e) for w in handlers(code, EMAIL) if w.live for e in of(w, Role.EMAIL_SEND) if e.attached]
    by_producer = by_job(code, EMAIL, _attached, held)
    if not carried:
        return by_producer
    sent = [finding(w, _carried(w, e), subject_of(w)) for w, e in carried]
    return conclude([*sent, *by_producer.findings], held=held, evidence=by_producer.evidence)


@probe("email.logging")
def logging(code: CodeModel) -> Verdict:
    """A send leaves a line: message id, template or a recipient's hash; never the body, a token or the html."""
    return by_handler(code, EMAIL, _logged, "every send is logged, its content is not")


@probe("email.backoff")
def backoff(code: CodeModel) -> Verdict:
    """A busy provider gets time: exponential backoff from 1 s on, or its 429 and Retry-After are handled."""
    return by_job(code, EMAIL, _patient, "mail jobs give a busy provider time")


@probe("email.failures_tracked")
def failures_tracked(code: CodeModel) -> Verdict:
    """A mail that fails is written down: failed listener, dead-letter queue, table, metric or error tracker.

    A handler that catches and only logs completes its job: nothing is tracked, whatever listens to failed.
    """
    return by_handler(code, EMAIL, _tracked, "every failed mail is written down")


@probe("email.smtp_timeout")
def smtp_timeout(code: CodeModel) -> Verdict:
    """The mail client gives up: nodemailer's connection, greeting and socket timeouts, or the HTTP client's."""
    return by_handler(code, EMAIL, _timed, "every mail client has a timeout")


def _rendered(_: CodeModel, worker: Worker) -> Judged | None:
    renders = of(worker, Role.EMAIL_RENDER)
    if not renders:
        return None if worker.followed else needs_call(worker, "whether it renders a template", Role.EMAIL_RENDER)
    caught = [c for r in renders for c in worker.catches if r.order in c.around]
    ends = [c for c in caught if {"unrecoverable", "discard", "record", "enqueue"} & set(c.does)]
    name, render = subject_of(worker).name, renders[0]
    if ends:
        return good(
            f"catch at {ends[0].span.label()} around {render.call} ends it",
            confidence=Confidence.LIKELY,
            related=(ends[0].span,),
        )
    what = "is caught, but neither ended nor recorded" if caught else "is caught by nothing"
    return bad(
        f"{name}: {path_of(worker, render)} {what}: a broken template burns all attempts",
        f"{render.call}: {what}",
        expected="UnrecoverableError or a failed record",
        place=render.span,
        related=(*render.calls, *tuple(c.span for c in caught[:2])),
        confidence=Confidence.LIKELY,
    )


def _carried(worker: Worker, send: Effect) -> Judged:
    what = ", ".join(send.attached)
    return bad(
        f"{subject_of(worker).name}: {path_of(worker, send)} attaches {what}: the contents travel in the job",
        f"attachment content: {what}",
        expected="a path, href or storage key",
        place=send.span,
        related=send.calls,
        confidence=Confidence.LIKELY,
    )


def _attached(_: CodeModel, job: Producer) -> Judged:
    name = subject_of(job).name
    inside = [(key, what, span) for key, what, span in job.bulky if key]
    if inside:
        key, what, span = inside[0]
        return bad(
            f"{name}: {key} holds {what}",
            f"{key}: {what}",
            expected="a path, href or storage key",
            place=span,
            confidence=Confidence.LIKELY,
        )
    keys = [key for key, _ in job.data_keys] + (list(job.data.value) if isinstance(job.data.value, Mapping) else [])
    contents = next(
        (
            key
            for key in keys
            if "attachment" in key.lower() and key.lower().endswith((".content", ".data", ".base64", ".buffer"))
        ),
        None,
    )
    if contents:
        return bad(
            f"{name}: {contents} is an attachment's contents",
            contents,
            expected="a path, href or storage key",
            confidence=Confidence.LIKELY,
        )
    if job.data.state is OptionState.UNKNOWN and not keys:
        return unsure(f"{name}: the shape of its data could not be resolved")
    told = "by reference" if any("attach" in key.lower() for key in keys) else "none in its data"
    return good(f"{name}: attachments {told}", confidence=Confidence.LIKELY)


def _logged(_: CodeModel, worker: Worker) -> Judged:
    name, send = subject_of(worker).name, main_call(worker, Role.EMAIL_SEND)
    if send is None:
        return needs_call(worker, "what it logs", Role.EMAIL_SEND)
    logs = of(worker, Role.LOG)
    tells = next((log for log in logs if _prints_content(log.text)), None)
    if tells:
        return bad(
            f"{name}: {tells.call} ({tells.span.label()}) logs the mail's content",
            tells.text,
            expected="ids only",
            place=tells.span,
            confidence=Confidence.LIKELY,
        )
    after = [log for log in logs if "catch" not in log.within]
    heard = [
        e
        for item in worker.listeners
        if item.live and item.event == "completed"
        for e in item.effects
        if e.role is Role.LOG
    ]
    if after or heard:
        first = (*after, *heard)[0]
        return good(
            f"{first.call} ({first.span.label()}) logs the send", confidence=Confidence.LIKELY, related=(first.span,)
        )
    return bad(
        f"{name}: nothing is logged about {send.call}: a customer's mail can't be traced",
        "no log call",
        expected="a line with the message id",
        place=send.span,
        related=send.calls,
        confidence=Confidence.LIKELY,
    )


def _prints_content(text: str) -> bool:
    """Whether what is printed is the content itself: `data.html`, `{ id, html }`, `${body}`; not its length, nor a flag."""
    holes = re.sub(
        r"`([^`]*)`", lambda found: " ".join(f"({hole})" for hole in re.findall(r"\$\{([^}]*)\}", found[1])), text
    )
    return _PRINTED.search(_QUOTED.sub("''", holes)) is not None


def _patient(code: CodeModel, job: Producer) -> Judged:
    name, tries, wait = subject_of(job).name, option(job.options, "attempts"), option(job.options, "backoff")
    told, related = f"{described('attempts', tries)}; {described('backoff', wait)}", places(tries, wait)
    consumers = [w for w in code.consumers if w.live and set(w.queue) & set(job.queue)]
    told_apart = next(
        (c for w in consumers for c in w.catches if any(b in t.lower() for t in c.tells for b in BUSY)), None
    )
    if told_apart:
        return good(
            f"{name}: a busy provider is told apart ({told_apart.span.label()})",
            confidence=Confidence.LIKELY,
            related=(told_apart.span,),
        )
    if OptionState.UNKNOWN in (tries.state, wait.state):
        return unsure(f"{name}: {told}", related=related)
    grows = choices(wait) and all(
        isinstance(v, Mapping) and v.get("type") not in (None, "fixed") and (number(v.get("delay")) or 1000) >= 1000
        for v in choices(wait)
    )
    more = any((number(value) or 0) > 1 for value in choices(tries))
    if grows and more:
        return good(told, confidence=sureness(wait, job.span), related=related)
    return bad(
        f"{name}: {told}: a busy provider is asked again at once, or never",
        told,
        expected="attempts > 1 and exponential backoff from 1000 ms",
        related=related,
        confidence=sureness(wait, job.span),
    )


def _tracked(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    own = next((c for c in worker.catches if {"record", "enqueue", "notify"} & set(c.does)), None)
    kept = [e for e in worker.effects if "catch" in e.within and (e.role in KEEPS or e.role is Role.METRIC)]
    heard = [
        e
        for item in worker.listeners
        if item.live and item.event == "failed"
        for e in item.effects
        if e.role in KEEPS or e.role is Role.METRIC
    ]
    if own or kept:
        span = kept[0].span if kept else own.span if own else worker.span
        return good(
            f"{name}: the handler's catch records it ({span.label()})", confidence=Confidence.LIKELY, related=(span,)
        )
    if heard and worker.swallows is None:
        return good(
            f"{name}: failed listener calls {heard[0].call}", confidence=Confidence.LIKELY, related=(heard[0].span,)
        )
    if not worker.followed:
        return unsure(f"{name}: its handler's reach could not be followed to see whether it records failures")
    if worker.swallows:
        message = f"{name}: a catch ({worker.swallows.label()}) swallows the error: the job completes and nobody learns of the failed mail"
        return bad(message, "the error is swallowed", related=(worker.swallows,), confidence=Confidence.LIKELY)
    return bad(
        f"{name}: a failed mail is recorded nowhere",
        "no failed listener that keeps it",
        expected="a table, dead-letter queue, metric or tracker",
        confidence=Confidence.LIKELY,
    )


def _timed(_: CodeModel, worker: Worker) -> Judged:
    name, sent = subject_of(worker).name, of(worker, Role.EMAIL_SEND)
    if not sent:
        return needs_call(worker, "whether its mail client has a timeout", Role.EMAIL_SEND)
    endless = [effect for effect in sent if unbounded(effect)]
    if endless:
        first = endless[0]
        return bad(
            f"{name}: {path_of(worker, first)} has no timeout{nor_have(endless)}",
            f"{first.call}: no timeout",
            expected="a timeout on the client",
            place=first.span,
            related=tuple(clients_and_calls(endless)),
            confidence=Confidence.LIKELY,
        )
    hazy = next(
        (effect for effect in sent if effect.timeout is None or effect.timeout.state is OptionState.UNKNOWN), None
    )
    if hazy:
        return unsure(
            f"{name}: whether the client of {hazy.call} ({hazy.span.label()}) has a timeout could not be resolved",
            related=(hazy.span,),
        )
    return good(
        f"{sent[0].call}: {described('timeout', sent[0].timeout) if sent[0].timeout else ''}",
        confidence=Confidence.LIKELY,
    )
