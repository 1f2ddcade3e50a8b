"""What the libraries ignore, refuse or are harmed by (X005 to X012)."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from auditor.code.model import CodeModel, Library, Producer, Worker
from auditor.model import CodeSpan, Confidence, Evidence, Finding, Subject, SubjectType, Verdict
from auditor.probes import conclude, not_applicable, probe

from ._options import described, numbers, option, places
from ._subjects import (
    NO_QUEUES,
    Judged,
    bad,
    by_consumer,
    by_producer,
    by_worker,
    finding,
    good,
    jobs_of,
    looked_at,
    subject_of,
)
from ._versions import is_bull, library_of

JOB_OPTIONS = frozenset(
    {
        "attempts", "backoff", "delay", "deduplication", "debounce", "failParentOnFailure", "ignoreDependencyOnFailure", "continueParentOnFailure",
        "jobId", "keepLogs", "lifo", "parent", "priority", "removeDependencyOnFailure", "removeOnComplete", "removeOnFail", "repeat",
        "sizeLimit", "stackTraceLimit", "telemetry", "timestamp", "timeout", "preventParsingData", "rejectOnTimeout",
    }
)  # fmt: skip
IDLE_SECONDS = 300
"""`drainDelay` is in seconds: 5000 of them are 83 minutes."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of misuse that an item is about, comma-separated; empty: all that no other item names."""

    rules: str = ""


@probe("producer.options_known")
def options_known(code: CodeModel) -> Verdict:
    """No option is misspelt: the libraries ignore unknown names in silence."""
    if code.empty:
        return not_applicable(NO_QUEUES)
    sites: list[Producer | Worker] = [*jobs_of(code), *code.workers]
    findings = [
        finding(site, _misspelt(site, name, span), subject_of(site))
        for site in sites
        if site.live
        for name, span in site.unknown_options
        if name != "timeout"
    ]
    return conclude(
        findings,
        held="every option has a name that its library knows",
        evidence=looked_at(sites, "its options have known names"),
    )


@probe("producer.awaited")
def awaited(code: CodeModel) -> Verdict:
    """No add is left alone: without await or catch a refused Redis ends as an unhandled rejection, and the job is lost."""
    return by_producer(_awaited, "all {n} calls that enqueue are awaited")(code)


@probe("handler.errors_reach")
def errors_reach(code: CodeModel) -> Verdict:
    """A handler's errors reach the library: a catch that only logs completes the job, and attempts never come into play."""
    return by_consumer(_errors_reach, "the errors of all {n} handlers reach the library")(code)


@probe("worker.provided")
def provided(code: CodeModel) -> Verdict:
    """Every Nest processor class is in some module's providers; else Nest never starts it."""
    return by_worker(_provided, "all {n} workers are started")(code)


@probe("worker.one_completion")
def one_completion(code: CodeModel) -> Verdict:
    """A Bull processor is asynchronous or takes `done`, not both: with both, a throw is an unhandled rejection."""
    return by_worker(_completion, "all {n} processors end in one way")(code)


@probe("worker.drain_delay")
def drain_delay(code: CodeModel) -> Verdict:
    """`drainDelay` is in seconds: a figure meant as ms makes an idle worker wait for an hour."""
    return by_worker(_drain, "all {n} workers wake up in time")(code)


@probe("connection.blocking_safe")
def blocking_safe(code: CodeModel) -> Verdict:
    """No connection of a worker has `commandTimeout` (it kills the blocking read), and none of BullMQ a `keyPrefix`."""
    if code.empty:
        return not_applicable(NO_QUEUES)
    bullmq = any(site.library is not Library.BULL for site in (*code.workers, *code.queues))
    findings: list[Finding] = []
    for connection in code.connections:
        for name, why in (
            ("commandTimeout", "it cuts off the worker's blocking read"),
            ("keyPrefix", "BullMQ refuses it: use the prefix option"),
        ):
            found = option(connection.options, name)
            wrong = found.value not in (None, "", 0) and (
                "worker" in connection.used_by if name == "commandTimeout" else bullmq
            )
            if connection.live and wrong:
                place = (places(found) or (connection.span,))[0]
                shown = Evidence(place.label(), described(name, found), f"no {name}", place)
                subject = Subject(
                    SubjectType.CONNECTION, f"connection of {', '.join(connection.used_by)}", service=connection.service
                )
                findings.append(
                    Finding(f"{name} is set: {why}", subject, place, (connection.span,), (shown,), Confidence.LIKELY)
                )
    return conclude(findings, held="no connection has an option that its use forbids", evidence=_connections(code))


@probe("library.misuse")
def misuse(code: CodeModel, about: Rules) -> Verdict:
    """Nothing is given to the library that it ignores, refuses or is harmed by, by the rules named in the checklist."""
    if code.empty:
        return not_applicable(NO_QUEUES)
    wanted = {rule.strip() for rule in about.rules.split(",") if rule.strip()}
    found = [m for m in code.misuses if m.live and (m.rule in wanted or not wanted)]
    findings = [
        Finding(
            m.message,
            Subject(SubjectType.QUEUE if m.queue else SubjectType.PROJECT, m.queue or m.rule, m.queue, m.service),
            m.span,
            evidence=(Evidence(m.span.label(), m.rule.replace("_", " "), place=m.span),),
            confidence=Confidence.LIKELY,
            symbol=m.rule,
        )
        for m in found
    ]
    return conclude(
        findings,
        held="nothing of the kind",
        evidence=looked_at((*code.queues, *code.workers)),
        confidence=Confidence.LIKELY,
    )


def _connections(code: CodeModel) -> list[Evidence]:
    """The connections looked at; where none is given, what takes the library's own."""
    spans = [connection.span for connection in code.connections]
    own = [Evidence(span.label(), "its options were looked at", place=span) for span in spans[:5]]
    return own or looked_at((*code.workers, *code.queues), "takes the library's own connection")


def _misspelt(site: Producer | Worker, name: str, span: CodeSpan) -> Judged:
    near = difflib.get_close_matches(name, JOB_OPTIONS, 1)
    hint = f"; did it mean {near[0]}?" if near else ""
    return bad(
        f"{subject_of(site).name}: {library_of(site)} has no option {name}{hint}",
        f"option {name}",
        place=span,
        confidence=Confidence.LIKELY,
    )


def _awaited(_: CodeModel, job: Producer) -> Judged:
    name = subject_of(job).name
    return (
        good(f"{name} is awaited")
        if job.awaited
        else bad(f"{name} is neither awaited nor caught: its error is lost", "no await", confidence=Confidence.LIKELY)
    )


def _errors_reach(_: CodeModel, worker: Worker) -> Judged | None:
    if worker.swallows is None:
        return (
            good(f"{subject_of(worker).name}: no catch around its work swallows", confidence=Confidence.LIKELY)
            if worker.followed
            else None
        )
    text = f"{subject_of(worker).name}: a catch ({worker.swallows.label()}) around its work neither rethrows nor records: the job completes, attempts never come into play"
    return bad(text, "a catch that swallows", place=worker.swallows, confidence=Confidence.LIKELY)


def _provided(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    return (
        good(name)
        if worker.provided
        else bad(
            f"{name}: its processor class is in no module's providers, so Nest never starts it",
            "not provided",
            confidence=Confidence.LIKELY,
        )
    )


def _completion(_: CodeModel, worker: Worker) -> Judged | None:
    if not is_bull(worker):
        return None
    name = subject_of(worker).name
    both = (
        f"{name}: its processor is async and takes done: a throw becomes an unhandled rejection instead of a failed job"
    )
    return (
        bad(both, "async and done", confidence=Confidence.LIKELY)
        if worker.done_callback
        else good(f"{name} ends in one way")
    )


def _drain(_: CodeModel, worker: Worker) -> Judged:
    found = option(worker.options, "drainDelay")
    values, name = numbers(found), subject_of(worker).name
    if values and max(values) >= IDLE_SECONDS:
        return bad(
            f"{name}: {described('drainDelay', found)}; it is in seconds",
            described("drainDelay", found),
            expected="seconds, 5 by default",
            related=places(found),
        )
    return good(f"{name}: {described('drainDelay', found)}")
