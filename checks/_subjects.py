"""Judging subject by subject: the living decide, the dead are told apart, the sum is the item's verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from auditor.code.model import CodeModel, Producer, Site, Worker
from auditor.model import CodeSpan, Confidence, Evidence, Finding, Severity, Status, Subject, SubjectType, Verdict
from auditor.probes import conclude, not_applicable

SiteT = TypeVar("SiteT", bound=Site)
MOST_EVIDENCE = 12
"""Places shown beside a pass; the count of all is in the reason."""

_MOST_CALLERS = 3
"""Callers of an enqueueing wrapper that a finding names."""

NO_QUEUES = (
    "no Bull or BullMQ in the code: no queue, producer or worker is made from bull, bullmq or their Nest packages"
)

NO_WORKERS = "no worker consumes a queue: looked for new Worker, Bull's process and Nest processors"


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rule says of one subject. `notes` are worth reading but fail nothing."""

    status: Status
    message: str
    observed: str = ""
    expected: str = ""
    place: CodeSpan | None = None
    """None: the subject's own place."""
    related: tuple[CodeSpan, ...] = ()
    confidence: Confidence = Confidence.CERTAIN
    severity: Severity | None = None
    fix: str = ""
    notes: tuple[str, ...] = ()


def good(
    observed: str,
    *,
    confidence: Confidence = Confidence.CERTAIN,
    related: tuple[CodeSpan, ...] = (),
    notes: tuple[str, ...] = (),
) -> Judged:
    """The subject holds; `observed` is the evidence."""
    return Judged(Status.PASS, observed, observed, confidence=confidence, related=related, notes=notes)


def bad(
    message: str,
    observed: str = "",
    *,
    expected: str = "",
    place: CodeSpan | None = None,
    related: tuple[CodeSpan, ...] = (),
    confidence: Confidence = Confidence.CERTAIN,
    severity: Severity | None = None,
    fix: str = "",
) -> Judged:
    """The subject fails: `message` says what is wrong with it."""
    return Judged(Status.FAIL, message, observed or message, expected, place, related, confidence, severity, fix)


def unsure(message: str, observed: str = "", *, related: tuple[CodeSpan, ...] = ()) -> Judged:
    """The subject could not be decided: `message` says why and what would settle it."""
    return Judged(Status.UNVERIFIED, message, observed or message, related=related)


def subject_of(site: Site) -> Subject:
    """The site as a finding names it."""
    match site:
        case Producer():
            job = f" of {site.job!r}" if site.job else ""
            return Subject(
                SubjectType.PRODUCER, f"{site.method}{job} into {queues_of(site)}", queues_of(site, ""), site.service
            )
        case Worker():
            by_name = site.handler_name and not site.queue
            name = f"worker with handler {site.handler_name}" if by_name else f"worker of {queues_of(site)}"
            return Subject(SubjectType.WORKER, name, queues_of(site, ""), site.service)
    return Subject(
        SubjectType.QUEUE, getattr(site, "name", None) or "queue", getattr(site, "name", None) or "", site.service
    )


def queues_of(site: Producer | Worker, unknown: str = "a queue whose name is not resolved") -> str:
    """Names of the queues that the site serves, joined with `|`."""
    return "|".join(site.queue) or unknown


def jobs_of(code: CodeModel) -> tuple[Producer, ...]:
    """All that is enqueued: each case of a shared call, and every child of a flow beside its root, by itself."""
    jobs: list[Producer] = []
    for producer in code.jobs:
        jobs.append(producer)
        for child in producer.children:
            jobs.append(
                replace(
                    producer,
                    span=child.span,
                    queue=child.queue,
                    job=child.job,
                    options=child.options,
                    job_id=child.job_id,
                    job_id_parts=(),
                    children=(),
                )
            )
    return tuple(jobs)


def decide(
    code: CodeModel,
    sites: Sequence[SiteT],
    rule: Callable[[SiteT], Judged | None],
    *,
    held: str,
    nothing: str,
    subject: Callable[[SiteT], Subject] = subject_of,
) -> Verdict:
    """Judge each site by `rule` (None: exempt) and sum up.

    Living sites decide; dead ones are noted. Where all are dead, their failures fail the item and their passes
    are unverified: written but never reached. `held` is the reason of a pass, `{n}` in it the number of subjects;
    `nothing` says what was looked for when there is none.
    """
    judged = [(site, verdict) for site in sites if (verdict := rule(site)) is not None]
    living = [(site, verdict) for site, verdict in judged if site.live]
    if not judged:
        return not_applicable(NO_QUEUES if code.empty else nothing)
    deciding = living or [(site, unreached(verdict)) for site, verdict in judged]
    findings = [
        finding(site, verdict, subject(site)) for site, verdict in deciding if verdict.status is not Status.PASS
    ]
    findings += [_note(site, verdict, text, subject(site)) for site, verdict in deciding for text in verdict.notes]
    if living:
        findings += [
            _dead_note(site, verdict, subject(site))
            for site, verdict in judged
            if not site.live and verdict.status is Status.FAIL
        ]
    shown = [shows(site, verdict) for site, verdict in deciding if verdict.status is Status.PASS]
    sureness = weakest(
        (v.confidence for _, v in deciding), Confidence.CERTAIN if code.entry_points_known else Confidence.LIKELY
    )
    return conclude(findings, held=held.format(n=len(deciding)), evidence=shown[:MOST_EVIDENCE], confidence=sureness)


def by_producer(rule: Callable[[CodeModel, Producer], Judged | None], held: str) -> Callable[[CodeModel], Verdict]:
    """How code decides an item of producers: each job that it enqueues, by `rule`."""
    nothing = "no call enqueues a job: looked for add, addBulk, flows, schedulers and Bull's add"

    def judge(code: CodeModel) -> Verdict:
        return decide_jobs(code, jobs_of(code), lambda job: rule(code, job), held=held, nothing=nothing)

    return judge


def decide_jobs(
    code: CodeModel, jobs: Sequence[Producer], rule: Callable[[Producer], Judged | None], *, held: str, nothing: str
) -> Verdict:
    """`decide` of producers; what a shared call does alike for several jobs is told once."""
    verdict = decide(code, jobs, rule, held=held, nothing=nothing)
    return replace(verdict, findings=tuple(_once(verdict.findings)))


def by_worker(
    rule: Callable[[CodeModel, Worker], Judged | None], held: str, nothing: str = NO_WORKERS
) -> Callable[[CodeModel], Verdict]:
    """How code decides an item of workers: each of them, by `rule`."""
    return lambda code: decide(code, code.workers, lambda worker: rule(code, worker), held=held, nothing=nothing)


def by_consumer(
    rule: Callable[[CodeModel, Worker], Judged | None], held: str, nothing: str = NO_WORKERS
) -> Callable[[CodeModel], Verdict]:
    """How code decides an item of what handlers do: each of them, also where one place builds workers for several."""

    def judge(code: CodeModel) -> Verdict:
        verdict = decide(code, code.consumers, lambda worker: rule(code, worker), held=held, nothing=nothing)
        return replace(verdict, findings=tuple(_once(verdict.findings)))

    return judge


def _once(findings: Iterable[Finding]) -> list[Finding]:
    """One finding for each place that several handlers or jobs share: the first one's, with the others' names."""
    kept: dict[object, list[Finding]] = {}
    for one in findings:
        kept.setdefault(_same(one), []).append(one)
    return [_for_all(group) if len(group) > 1 else group[0] for group in kept.values()]


def _same(one: Finding) -> object:
    if one.subject.type is SubjectType.PRODUCER:
        return one.place, one.status, one.severity, one.message.replace(one.subject.name, "")
    same = one.status is Status.FAIL and one.subject.type is SubjectType.WORKER
    return (one.place, one.status, one.fix) if same else id(one)


def _for_all(group: list[Finding]) -> Finding:
    whole = group[0].subject.type is SubjectType.PRODUCER
    others = list(
        dict.fromkeys(one.subject.name if whole else one.subject.queue or one.subject.name for one in group[1:])
    )
    named = ", ".join(others[:4]) + (f" and {len(others) - 4} more" if len(others) > 4 else "")
    related = tuple(dict.fromkeys(span for one in group for span in one.related if span != group[0].place))
    return replace(group[0], message=f"{group[0].message}; the same for {named}", related=related[:MOST_EVIDENCE])


def finding(site: Site, judged: Judged, subject: Subject) -> Finding:
    """The finding that a judgement makes."""
    place = judged.place or site.span
    through = site.via[:_MOST_CALLERS] if isinstance(site, Producer) else ()
    related = tuple(span for span in dict.fromkeys((site.span, *judged.related, *through)) if span != place)
    return Finding(
        judged.message,
        subject,
        place,
        related,
        (Evidence(place.label(), judged.observed, judged.expected, place, confidence=judged.confidence),),
        judged.confidence,
        judged.severity,
        judged.status,
        symbol_of(site),
        judged.fix,
    )


def symbol_of(site: Site) -> str:
    """What keeps a finding's fingerprint through edits: enclosing symbol, and the job's name."""
    job = site.job if isinstance(site, Producer) else None
    return f"{site.symbol}/{job}" if job else site.symbol


def looked_at(sites: Iterable[Site], what: str = "looked at", most: int = 5) -> list[Evidence]:
    """What a pass over whole sites rests on: the first of them, with how many there are."""
    spans = list(dict.fromkeys(site.span for site in sites))
    more = f" (one of {len(spans)})" if len(spans) > 1 else ""
    return [Evidence(span.label(), f"{what}{more}", place=span) for span in spans[:most]]


def weakest(confidences: Iterable[Confidence], cap: Confidence = Confidence.CERTAIN) -> Confidence:
    """The least sure of all, and no surer than `cap`."""
    order = list(Confidence)
    return max((cap, *confidences), key=order.index)


def unreached(judged: Judged) -> Judged:
    """What a judgement is worth where no living site has it: a pass shows nothing."""
    if judged.status is not Status.PASS:
        return judged
    return unsure(f"written but never reached: no entry point loads it ({judged.observed})")


def _dead_note(site: Site, judged: Judged, subject: Subject) -> Finding:
    return _note(site, judged, f"dead code, so it does not count: {judged.message}", subject)


def _note(site: Site, judged: Judged, text: str, subject: Subject) -> Finding:
    place = judged.place or site.span
    shown = (Evidence(place.label(), judged.observed, place=place),)
    return Finding(text, subject, place, (), shown, Confidence.CERTAIN, Severity.LOW, Status.PASS, symbol_of(site))


def shows(site: Site, judged: Judged) -> Evidence:
    """What a judgement rests on, as evidence of a pass."""
    return Evidence(site.span.label(), judged.observed, place=site.span, confidence=judged.confidence)
