"""What stands before a side effect and can stop it: a look at earlier work, or a claim."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.code.model import Effect, Role, Worker

READS = frozenset({Role.DB_READ, Role.PAYMENT_READ, Role.CHAIN_READ, Role.HTTP_READ})


def before(worker: Worker, effect: Effect) -> list[Effect]:
    """What the same handler reaches before the effect, in order."""
    return [e for e in sorted(worker.effects, key=lambda e: e.order) if e.order < effect.order and e.run == effect.run]


def guards_of(worker: Worker, effect: Effect) -> Iterator[Effect]:
    """What decides whether the effect is reached: reads keyed by the job or of what is still open, and claims.

    Claims are an upsert, a conditional update, SET NX.

    A read that makes its own helper return early stops nothing outside of it, unless it throws; one that decides over a branch
    stops what stands in it. A claim whose outcome nobody looks at stops nothing.
    """
    for each in before(worker, effect):
        known = each.claims or each.open_rows or (each.role in READS and each.keyed_by)
        if each.guards and known and _stops(each, effect):
            yield each


def guard_of(worker: Worker, effect: Effect) -> Effect | None:
    """The first of them."""
    return next(guards_of(worker, effect), None)


def takes(effect: Effect) -> bool:
    """Whether it takes the work by its mere success: a lock, SET NX, an upsert of its own row; an update must be asked for its count."""
    return effect.role is Role.LOCK or (effect.claims and (effect.guards or effect.role is not Role.DB_WRITE))


def hangs_on(effect: Effect, guard: Effect) -> bool:
    """Whether the effect stands in a branch that runs or doesn't by the guard's result."""
    return bool(guard.hangs) and _stops(guard, effect)


def _stops(guard: Effect, effect: Effect) -> bool:
    if guard.decides_in is None:
        return True
    if guard.decides_in not in effect.path:
        return False
    step = effect.path.index(guard.decides_in)
    at = effect.calls[step] if step < len(effect.calls) else effect.span
    return not guard.hangs or any(span.start <= at.start <= span.end for span in guard.hangs)
