"""Items of one kind of job: its handlers, its producers, or why there are none."""

from __future__ import annotations

from collections.abc import Callable, Collection

from auditor.code.model import CodeModel, Effect, Kind, KindBy, Producer, Role, Site, Worker
from auditor.model import Cause, Verdict
from auditor.probes import not_applicable, unverified

from ._handlers import cannot_follow, of
from ._sources import queue_names
from ._subjects import NO_QUEUES, Judged, decide, decide_jobs, jobs_of, subject_of, unsure

MINT = (Kind.NFT,)
EMAIL = (Kind.EMAIL,)
PAYMENT = (Kind.PAYMENT, Kind.REFUND)
WORDS = {MINT: "mint", EMAIL: "e-mail", PAYMENT: "payment or refund"}

WorkerRule = Callable[[CodeModel, Worker], Judged | None]
ProducerRule = Callable[[CodeModel, Producer], Judged | None]


def handlers(code: CodeModel, kinds: Collection[Kind]) -> tuple[Worker, ...]:
    """Workers whose jobs are of these kinds.

    Where some of them are seen to do it, those that only a name counts among them, and whose reach shows nothing of the
    kind, are left out: `cleanup-email-bodies` beside the queue that mails.
    """
    found = tuple(worker for worker in code.consumers if worker.kind in kinds)
    doing = [worker for worker in found if worker.kind_by is not KindBy.NAMES]
    return tuple(w for w in found if w in doing or not w.followed) if any(w.live for w in doing) else found


def producers(code: CodeModel, kinds: Collection[Kind]) -> tuple[Producer, ...]:
    """Producers whose jobs are of these kinds; dead-letter fillers are none."""
    return tuple(job for job in jobs_of(code) if job.kind in kinds and not job.dead_letter)


def first_site(code: CodeModel, kinds: Collection[Kind]) -> Site:
    """Where to point for what a whole project lacks: the first handler of the kind, else producer, the living first."""
    sites: list[Site] = [*handlers(code, kinds), *producers(code, kinds)]
    return next((site for site in sites if site.live), sites[0])


def named_only(site: Site) -> bool:
    """Whether a handler is of its kind by a name alone, while its reach, which was followed, shows nothing of the kind."""
    return isinstance(site, Worker) and site.kind_by is KindBy.NAMES and site.followed


def names_alone(code: CodeModel, job: Producer) -> bool:
    """Whether a job is of its kind by a name alone: all handlers that take it were followed, and show nothing of the kind."""
    takers = [worker for worker in code.consumers if worker.live and set(worker.queue) & set(job.queue)]
    return bool(takers) and all(named_only(worker) for worker in takers)


def absent(code: CodeModel, kinds: tuple[Kind, ...]) -> Verdict | None:
    """Not applicable where there is no job of these kinds, saying what was looked at; else None."""
    if code.empty:
        return not_applicable(NO_QUEUES)
    if handlers(code, kinds) or producers(code, kinds):
        return None
    names = sorted(queue_names(code))
    listed = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    looked = f"{len(names)} queues ({listed})" if names else "no named queue"
    return not_applicable(
        f"no {WORDS[kinds]} jobs: looked at {looked}, {len(code.producers)} producers and {len(code.workers)} workers,"
        " by the calls that handlers reach and by the words of queue and job names"
    )


def consumed_elsewhere(code: CodeModel, kinds: tuple[Kind, ...]) -> Verdict | None:
    """Unverified where jobs of these kinds are enqueued, but the program that works on them was not given; else None."""
    if handlers(code, kinds):
        return None
    queues = ", ".join(sorted({name for job in producers(code, kinds) for name in job.queue})) or "a queue"
    told = f"{WORDS[kinds]} jobs are enqueued into {queues}, but no handler of them is in the code given"
    return unverified(f"{told}; give --code of the service that consumes them", Cause.SOURCE_NOT_GIVEN)


def by_handler(code: CodeModel, kinds: tuple[Kind, ...], rule: WorkerRule, held: str, nothing: str = "") -> Verdict:
    """Judge the handlers of these kinds; `nothing` is the reason where the rule exempts them all."""
    none = absent(code, kinds)
    if none:
        return none
    away = consumed_elsewhere(code, kinds)
    if away:
        return away
    return decide(code, handlers(code, kinds), lambda worker: rule(code, worker), held=held, nothing=nothing)


def by_job(code: CodeModel, kinds: tuple[Kind, ...], rule: ProducerRule, held: str, nothing: str = "") -> Verdict:
    """Judge the producers of these kinds."""
    none = absent(code, kinds)
    if none:
        return none
    found = producers(code, kinds)
    if not found:
        taken = {name for worker in handlers(code, kinds) for name in worker.queue}
        queues, filled = ", ".join(sorted(taken)) or "a queue", [job for job in jobs_of(code) if taken & set(job.queue)]
        if filled:
            return unverified(
                f"the handler of {queues} does {WORDS[kinds]} jobs among others, and which of the {len(filled)} jobs put there"
                " they are is not told by their names; give their kinds in tt-audit.yaml"
            )
        told = f"{WORDS[kinds]} jobs are consumed from {queues}, but no producer of them is in the code given"
        return unverified(f"{told}; give --code of the service that enqueues them", Cause.SOURCE_NOT_GIVEN)
    return decide_jobs(code, found, lambda job: rule(code, job), held=held, nothing=nothing)


def main_call(worker: Worker, *roles: Role) -> Effect | None:
    """The first call of the kind's own role: the charge, the mint, the mail."""
    return next(iter(of(worker, *roles)), None)


def needs_call(worker: Worker, what: str, role: Role) -> Judged:
    """Unverified: the handler's own call could not be seen, so nothing around it can be judged."""
    name = subject_of(worker).name
    unseen = cannot_follow(worker, what)
    if unseen:
        return unseen
    return unsure(
        f"{name}: no call in its reach is known to be {role.value}; name the project's own wrapper under roles in tt-audit.yaml"
    )
