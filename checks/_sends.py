"""The calls that a job is about: what moves money, what sends a transaction; and the rules that are judged at them."""

from __future__ import annotations

from collections.abc import Callable

from auditor.code.model import CodeModel, Effect, Role, Worker

from ._handlers import of
from ._kinds import WorkerRule, needs_call
from ._subjects import Judged

CHARGES = (Role.PAYMENT_CREATE, Role.REFUND_CREATE)


def at_mint(what: str) -> Callable[[Callable[[CodeModel, Worker, Effect], Judged | None]], WorkerRule]:
    """Judge a handler at the send of its mint; unverified where none is seen, since then `what` is open."""

    def at(rule: Callable[[CodeModel, Worker, Effect], Judged | None]) -> WorkerRule:
        def judge(code: CodeModel, worker: Worker) -> Judged | None:
            send = mint_of(worker)
            return rule(code, worker, send) if send else needs_call(worker, what, Role.CHAIN_SEND)

        return judge

    return at


def at_charges(what: str) -> Callable[[Callable[[CodeModel, Worker, tuple[Effect, ...]], Judged | None]], WorkerRule]:
    """Judge a handler at its charges and refunds; unverified where none is seen, since then `what` is open."""

    def at(rule: Callable[[CodeModel, Worker, tuple[Effect, ...]], Judged | None]) -> WorkerRule:
        def judge(code: CodeModel, worker: Worker) -> Judged | None:
            moved = charges(worker)
            return rule(code, worker, moved) if moved else needs_call(worker, what, Role.PAYMENT_CREATE)

        return judge

    return at


def charges(worker: Worker) -> tuple[Effect, ...]:
    """Calls that move money, in order."""
    return of(worker, *CHARGES)


def sends(worker: Worker) -> tuple[Effect, ...]:
    """Calls that send a transaction."""
    return tuple(e for e in worker.effects if e.role is Role.CHAIN_SEND)


RAW = ("sendrawtransaction", "broadcasttransaction", "sendsignedtransaction", "sendencodedtransaction")
"""Calls that send bytes which may have been signed by an earlier attempt."""


def mint_of(worker: Worker) -> Effect | None:
    """The send whose transaction this very run builds and signs; None where the handler sends nothing.

    A send of signed bytes on a branch that leaves before another send is an earlier attempt's, sent again: it needs neither
    estimate nor balance nor fee cap, since however often it is sent it lands once. Where one function of a processor is
    reached for both, its last call counts.
    """
    sent = sorted(sends(worker), key=lambda e: e.order)
    fresh = [e for at, e in enumerate(sent) if not (_again(e) and any(_after(e, later) for later in sent[at + 1 :]))]
    first = fresh[0] if fresh else None
    return next((e for e in reversed(fresh) if first is not None and (e.span, e.run) == (first.span, first.run)), first)


def _again(send: Effect) -> bool:
    raw = send.call.rsplit(".", 1)[-1].lower() in RAW
    return raw and any(word.startswith("exits:") for word in send.within)


def _after(send: Effect, later: Effect) -> bool:
    """Whether `later` comes where the branch of `send` was not taken."""
    return any(word.startswith("exits:") and word not in later.within for word in send.within)
