"""What Redis adds to an item that code decides too, and the words in which the sampled jobs are judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from auditor.live.jobs_model import JobGroup, SampledJob, State
from auditor.live.keys import LISTS, SETS
from auditor.live.model import LiveQueue, LiveRedis
from auditor.live.sampling import sizes
from auditor.model import Confidence, Evidence, Finding, Severity, Status, Subject, SubjectType

_SHOWN = 40
"""Pieces of evidence that back a pass; a thousand alike help nobody."""

WAITING = (State.WAITING, State.PAUSED, State.PRIORITIZED)
"""The states whose jobs a worker could take now: a queue's depth."""

_DEAD_LETTER = re.compile(
    r"(?:^|[-_.:/ ])(?:dlq|dead[-_]?letters?|dead|failed|failures|poison|graveyard|parking(?:[-_]?lot)?)(?:$|[-_.:/ ])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class LiveSide:
    """What Redis adds to an item."""

    findings: tuple[Finding, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    held: tuple[tuple[str, str], ...] = ()
    """(queue name, job name or "") of the subjects that Redis shows to hold."""
    aged: tuple[tuple[str, str], ...] = ()
    """Those whose failing jobs all date from before the code that runs now: no drift, if code says otherwise."""
    options: bool = False
    """It is about options that code sets: where a producer fails here and holds there, the two have drifted apart."""
    told: str = ""
    """What Redis shows where it holds, in a sentence; empty: sampled jobs show it."""

    @property
    def silent(self) -> bool:
        """Redis holds nothing that bears on the item."""
        return not (self.findings or self.evidence or self.held)


@dataclass(slots=True)
class Gathered:
    """A side while it is gathered."""

    findings: list[Finding] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    held: list[tuple[str, str]] = field(default_factory=list)
    aged: list[tuple[str, str]] = field(default_factory=list)
    options: bool = False
    told: str = ""

    def side(self) -> LiveSide:
        """The side, as probes take it."""
        shown = self.evidence[:_SHOWN]
        if rest := len(self.evidence) - len(shown):
            shown.append(Evidence("sampled jobs", f"and {rest:,} more of the kind"))
        held = tuple(dict.fromkeys(self.held))
        return LiveSide(tuple(self.findings), tuple(shown), held, tuple(self.aged), self.options, self.told)

    def hold(self, queue: LiveQueue, job: str, *evidence: Evidence) -> None:
        """The subject holds."""
        self.held.append((queue.name, job))
        self.evidence += evidence

    def say(
        self, status: Status, message: str, subject: Subject, evidence: Sequence[Evidence], *,
        severity: Severity | None = None, symbol: str = "", fix: str = "",
    ) -> None:  # fmt: skip
        """A finding, as sure as its weakest evidence; notes are low."""
        order = list(Confidence)
        weakest = max((shown.confidence for shown in evidence), key=order.index, default=Confidence.CERTAIN)
        grave = Severity.LOW if status is Status.PASS else severity
        place = evidence[0].place if evidence else None
        self.findings.append(Finding(message, subject, place, (), tuple(evidence), weakest, grave, status, symbol, fix))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one job's options show."""

    holds: bool | None
    """None: can't be told from Redis."""
    observed: str
    """As a reader finds it in the job's `opts`."""
    message: str = ""
    """What is wrong, after `<queue>/<job name>: `."""


def dead_letter(queue: LiveQueue) -> bool:
    """Whether its name says that it keeps what failed: nobody retries what lies there."""
    return bool(_DEAD_LETTER.search(queue.name))


def producer(queue: LiveQueue, job: str) -> Subject:
    """Whoever enqueues jobs of that name."""
    return Subject(SubjectType.PRODUCER, f"{queue.label}/{job}", queue.name)


def of_queue(queue: LiveQueue) -> Subject:
    """The queue itself."""
    return Subject(SubjectType.QUEUE, queue.label, queue.name)


def job_options(
    queue: LiveQueue, job: str, observed: str, expected: str, confidence: Confidence = Confidence.CERTAIN
) -> Evidence:
    """A stored job's options, as a reader can look at them."""
    key = queue.key(job)
    return Evidence(f"HGET {key} opts", observed, expected, queue.place(job), confidence=confidence)


def key_of(
    queue: LiveQueue,
    command: str,
    suffix: str,
    observed: str,
    expected: str = "",
    *,
    confidence: Confidence = Confidence.CERTAIN,
) -> Evidence:
    """One key of the queue, and what follows it: `ZCARD bull:mail:failed`, `ZRANGE bull:mail:delayed 0 0`."""
    key = suffix.partition(" ")[0]
    return Evidence(f"{command} {queue.key(suffix)}", observed, expected, queue.place(key), confidence=confidence)


def count_of(
    queue: LiveQueue,
    states: Sequence[State],
    observed: str,
    expected: str = "",
    *,
    confidence: Confidence = Confidence.CERTAIN,
) -> Evidence:
    """The numbers of jobs in these states, by the commands that count them: `LLEN bull:mail:wait + ZCARD bull:…`."""
    held = sizes(queue.counts)
    keys = [LISTS.get(state) or SETS[state] for state in states if state in held] or [LISTS[State.WAITING]]
    commands = [f"{'LLEN' if key in LISTS.values() else 'ZCARD'} {queue.key(key)}" for key in keys]
    return Evidence(" + ".join(commands), observed, expected, queue.place(keys[0]), confidence=confidence)


def judge_options(
    live: LiveRedis,
    judge: Callable[[LiveQueue, SampledJob], Judgement | None],
    expected: str,
    *,
    dead_letters: bool = True,
) -> Gathered:
    """Judge every job name by its newest jobs; older ones that differ from the newest are a note.

    A name whose newest jobs are of both kinds, one among the other, has a producer that does not hold: it fails.
    """
    gathered = Gathered(options=True)
    for queue, group in each_group(live):
        if not dead_letters and dead_letter(queue):
            continue
        judged = [(job, said) for job in group.newest if (said := judge(queue, job)) is not None]
        if judged:
            _sum_up(gathered, queue, group, judged, expected)
    return gathered


def each_group(live: LiveRedis) -> Iterator[tuple[LiveQueue, JobGroup]]:
    """Every job name of every queue that has sampled jobs."""
    for queue in live.queues:
        for group in queue.jobs:
            yield queue, group


def _sum_up(
    gathered: Gathered, queue: LiveQueue, group: JobGroup, judged: Sequence[tuple[SampledJob, Judgement]], expected: str
) -> None:
    subject = producer(queue, group.name)
    bad = [(job, said) for job, said in judged if said.holds is False]
    good = [(job, said) for job, said in judged if said.holds is True]
    unclear = [(job, said) for job, said in judged if said.holds is None]
    if bad and not (good and _older(bad, good)):
        job, said = bad[0]
        part = f" ({len(bad)} of the {len(judged)} newest)" if good else ""
        shown = [
            job_options(queue, job.id, said.observed, expected),
            *(job_options(queue, j.id, s.observed, "") for j, s in good[:1]),
        ]
        dated = _before_this_code(queue, [job for job, _ in bad])
        gathered.aged += [(queue.name, group.name)] if dated else []
        history = dated and all(job.state in (State.COMPLETED, State.FAILED) for job, _ in bad)
        when = f" (added {_ago(queue, job)}, before the workers' last start)" if dated else ""
        # what lies finished says how it was done then; what still waits will run as it is
        status = Status.UNVERIFIED if history else Status.FAIL
        gathered.say(status, f"{subject.name}: {said.message}{part}{when}", subject, shown, symbol=group.name)
    elif good:
        job, said = good[0]
        gathered.hold(queue, group.name, job_options(queue, job.id, said.observed, expected))
        if bad:
            old, was = bad[0]
            text = f"{subject.name}: older jobs, up to {_ago(queue, old)}, differ: {was.message}"
            gathered.say(Status.PASS, text, subject, [job_options(queue, old.id, was.observed, "")], symbol=group.name)
    else:
        job, said = unclear[0]
        shown = [job_options(queue, job.id, said.observed, expected)]
        gathered.say(Status.UNVERIFIED, f"{subject.name}: {said.message}", subject, shown, symbol=group.name)


def _before_this_code(queue: LiveQueue, jobs: Sequence[SampledJob]) -> bool:
    since = queue.code_since_ms
    return since is not None and all(job.timestamp is not None and job.timestamp < since for job in jobs)


def _older(bad: Iterable[tuple[SampledJob, Judgement]], good: Iterable[tuple[SampledJob, Judgement]]) -> bool:
    return max(job.timestamp or 0 for job, _ in bad) < min(job.timestamp or 0 for job, _ in good)


def _ago(queue: LiveQueue, job: SampledJob) -> str:
    return f"{duration(max(queue.read_ms - (job.timestamp or queue.read_ms), 0))} ago"


def counted(number: int, thing: str) -> str:
    """`1 job`, `1,200 jobs`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def duration(milliseconds: float) -> str:
    """Milliseconds as people say them: `120 ms`, `45 s`, `3 h`."""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
