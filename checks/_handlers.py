"""What a handler reaches: first calls of a role, what is in process, who fills its queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from auditor.code.model import CodeModel, Effect, Producer, Role, Worker
from auditor.model import Confidence

from ._options import labels
from ._subjects import Judged, subject_of, unsure


def first(effects: Iterable[Effect], roles: Collection[Role]) -> Effect | None:
    """The first call of one of these roles, in the order of the handler's paths."""
    return min((e for e in effects if e.role in roles), key=lambda e: e.order, default=None)


def of(worker: Worker, *roles: Role) -> tuple[Effect, ...]:
    """All calls of these roles, in order."""
    return tuple(sorted((e for e in worker.effects if e.role in roles), key=lambda e: e.order))


def in_process(worker: Worker) -> tuple[Effect, ...]:
    """Calls that run on the worker's own event loop."""
    return () if worker.sandboxed else tuple(e for e in worker.effects if not e.sandboxed)


def fills(code: CodeModel, worker: Worker) -> tuple[Producer, ...]:
    """Living producers of the worker's queues, narrowed to the job names that it handles where it tells them."""
    jobs = [job for job in code.producers if job.live and set(job.queue) & set(worker.queue)]
    named = [job for job in jobs if job.job in worker.jobs] if worker.jobs else []
    return tuple(named or jobs)


def cannot_follow(worker: Worker, what: str) -> Judged | None:
    """Unverified where the handler's reach was not followed, so that what is not in it can't be told; else None."""
    if worker.followed:
        return None
    where = f"; {labels(worker.lost)} lead away" if worker.lost else ""
    return unsure(f"{subject_of(worker).name}: its handler's reach could not be followed, so {what} is open{where}")


def surely(*effects: Effect) -> Confidence:
    """How sure a finding about these calls is: what only their names tell is possible, no more."""
    return Confidence.POSSIBLE if any(effect.by_name for effect in effects) else Confidence.LIKELY


def path_of(worker: Worker, effect: Effect) -> str:
    """`handler processRefund (src/a.ts:31) → RefundService.refund (:88) → stripe.refunds.create (:104)`.

    Of several processors of a queue, the one that makes the call.
    """
    start, name = worker.handler or worker.span, worker.handler_name
    if effect.run and effect.path and effect.path[0] != start:
        start, name = effect.path[0], effect.steps[0] if effect.steps else ""
    steps = [f"handler {name or 'of ' + '|'.join(worker.queue)} ({start.label()})"]
    before = start.path
    for at, span in enumerate(effect.path):
        if span in (start, effect.span) or not at:
            continue
        name = effect.steps[at] if at < len(effect.steps) else ""
        steps.append(f"{name} (:{span.start})".strip() if span.path == before else f"{name} ({span.label()})".strip())
        before = span.path
    where = f":{effect.span.start}" if effect.span.path == before else effect.span.label()
    shown = steps if len(steps) < 6 else [*steps[:2], "…", *steps[-2:]]
    return " → ".join([*shown, f"{effect.call} ({where})"])
