"""How the parts of a system fit together: queues filled and consumed, job names, libraries (X001 to X004)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from auditor.code.model import CodeModel, Library, Producer, Site, Worker, is_named, is_setting
from auditor.model import Confidence, Finding, Severity, Status, Verdict
from auditor.probes import conclude, not_applicable, probe

from ._subjects import NO_QUEUES, bad, finding, jobs_of, looked_at, queues_of, subject_of


@probe("queue.consumed")
def consumed(code: CodeModel) -> Verdict:
    """Every queue that living code fills has a living worker.

    A name that nearly matches a queue which is consumed and never filled is a slip, likely. Otherwise the worker may be
    in code that was not given: possible.
    """
    if code.empty:
        return not_applicable(NO_QUEUES)
    filled = [job for job in code.producers if job.live and not job.dead_letter]
    taken, given = _names(w for w in code.workers if w.live), _names(filled)
    if any(worker.live and not is_named(worker) for worker in code.workers):
        taken |= given  # a worker whose queue is not resolved may take any of them
    lonely = [(name, job) for job in filled for name in job.queue if name not in taken and not is_setting(name)]
    findings = [
        _unmatched(job, name, taken - given, "is filled and no worker consumes it") for name, job in _first(lonely)
    ]
    return conclude(
        findings,
        held=f"all {len(given)} queues that are filled are consumed",
        evidence=looked_at(filled, "fills a queue that is consumed"),
        confidence=Confidence.LIKELY,
    )


@probe("queue.filled")
def filled(code: CodeModel) -> Verdict:
    """Every living worker's queue is filled by somebody; a nearly matching name elsewhere is a slip, likely."""
    if code.empty:
        return not_applicable(NO_QUEUES)
    workers = [worker for worker in code.workers if worker.live]
    given, taken = _names(job for job in code.producers if job.live), _names(workers)
    if any(job.live and not is_named(job) for job in code.producers):
        given |= taken
    lonely = [(name, one) for one in workers for name in one.queue if name not in given and not is_setting(name)]
    findings = [
        _unmatched(worker, name, given - taken, "is consumed and nothing fills it") for name, worker in _first(lonely)
    ]
    return conclude(
        findings,
        held=f"all {len(taken)} queues that are consumed are filled",
        evidence=looked_at(workers, "consumes a queue that is filled"),
        confidence=Confidence.LIKELY,
    )


@probe("queue.job_names")
def job_names(code: CodeModel) -> Verdict:
    """Every job name that is added has a branch that handles it, where the workers of its queue tell names apart."""
    if code.empty:
        return not_applicable(NO_QUEUES)
    findings: list[Finding] = []
    for job in jobs_of(code):
        workers = [w for w in code.workers if w.live and set(w.queue) & set(job.queue)]
        if not job.live or job.job is None or not workers or any(not w.jobs_by or not w.jobs for w in workers):
            continue
        handled = {name for worker in workers for name in worker.jobs}
        if job.job not in handled and "*" not in handled:
            near = difflib.get_close_matches(job.job, handled, 1)
            hint = f"; did it mean {near[0]!r}?" if near else ""
            text = f"job {job.job!r} is added to {queues_of(job)}, whose workers handle {', '.join(sorted(handled)[:6])} only{hint}"
            spans = tuple(worker.span for worker in workers)
            findings.append(
                finding(
                    job, bad(text, f"job name {job.job}", related=spans, confidence=Confidence.LIKELY), subject_of(job)
                )
            )
    return conclude(
        findings,
        held="every job name that is added is handled",
        evidence=looked_at(jobs_of(code), "its job name is handled"),
        confidence=Confidence.LIKELY,
    )


@probe("queue.one_library")
def one_library(code: CodeModel) -> Verdict:
    """No queue name is used by Bull and BullMQ at once: their keys share names and differ in meaning."""
    if code.empty:
        return not_applicable(NO_QUEUES)
    uses: dict[str, dict[bool, Producer | Worker]] = {}
    sites: list[Producer | Worker] = [*code.producers, *code.workers]
    for site in sites:
        for name in site.queue if site.live else ():
            uses.setdefault(name, {}).setdefault(site.library is Library.BULL, site)
    mixed = [(name, by[True], by[False]) for name, by in uses.items() if len(by) == 2]
    findings = [
        finding(
            old,
            bad(
                f"queue {name} is used by Bull ({old.span.label()}) and BullMQ ({new.span.label()}): each corrupts the other's keys",
                "two libraries",
                related=(new.span,),
            ),
            subject_of(old),
        )
        for name, old, new in mixed
    ]
    return conclude(
        findings, held="each queue is used by one library", evidence=looked_at((*code.producers, *code.workers))
    )


def _names(sites: Iterable[Producer | Worker]) -> set[str]:
    return {name for site in sites for name in site.queue}


def _first(lonely: list[tuple[str, Producer]] | list[tuple[str, Worker]]) -> list[tuple[str, Site]]:
    """One site a queue."""
    seen: dict[str, Site] = {}
    for name, site in lonely:
        seen.setdefault(name, site)
    return list(seen.items())


def _unmatched(site: Site, name: str, candidates: set[str], what: str) -> Finding:
    near = difflib.get_close_matches(name, candidates, 1, 0.6) or [c for c in candidates if name in c or c in name]
    text = f"queue {name} {what}" + (f"; {near[0]} is its counterpart by name" if near else " in the code given")
    sure = Confidence.LIKELY if near else Confidence.POSSIBLE
    judged = bad(text, f"queue {name}", expected="one name on both sides", confidence=sure)
    made = finding(site, judged, subject_of(site))
    return made if near else _softened(made)


def _softened(made: Finding) -> Finding:
    return Finding(
        made.message,
        made.subject,
        made.place,
        made.related,
        made.evidence,
        made.confidence,
        Severity.LOW,
        Status.UNVERIFIED,
        made.symbol,
    )
