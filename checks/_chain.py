"""What a handler does on a blockchain: which family, whose nonce, who manages it."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.code.model import Effect, Role, Worker

SOLANA = ("solana", "metaplex", "umi", "bubblegum", "anchor")
MANAGERS = ("noncemanager", "nonce_manager", "engine", "enqueuetransaction", "relayer", "defender")


def sends(worker: Worker) -> tuple[Effect, ...]:
    """Calls that send a transaction."""
    return tuple(e for e in worker.effects if e.role is Role.CHAIN_SEND)


RAW = ("sendrawtransaction", "broadcasttransaction", "sendsignedtransaction", "sendencodedtransaction")
"""Calls that send bytes which may have been signed by an earlier attempt."""


def mint_of(worker: Worker) -> Effect | None:
    """The send whose transaction this very run builds and signs; None where the handler sends nothing.

    A send of signed bytes on a branch that leaves before another send is an earlier attempt's, sent again: it needs neither
    estimate nor balance nor fee cap, since however often it is sent it lands once. Where one function is reached for
    both, its last call counts.
    """
    sent = sorted(sends(worker), key=lambda e: e.order)
    fresh = [e for at, e in enumerate(sent) if not (_again(e) and any(_after(e, later) for later in sent[at + 1 :]))]
    first = fresh[0] if fresh else None
    return next((e for e in reversed(fresh) if first is not None and e.span == first.span), first)


def _again(send: Effect) -> bool:
    raw = send.call.rsplit(".", 1)[-1].lower() in RAW
    return raw and any(word.startswith("exits:") for word in send.within)


def _after(send: Effect, later: Effect) -> bool:
    """Whether `later` comes where the branch of `send` was not taken."""
    return any(word.startswith("exits:") and word not in later.within for word in send.within)


def is_solana(effect: Effect) -> bool:
    """Whether the call belongs to a Solana SDK; everything else on a chain goes by an account nonce."""
    return any(word in effect.package.lower() for word in SOLANA)


def nonce_managed(effects: Iterable[Effect]) -> bool:
    """Whether a nonce manager (ethers, viem, thirdweb Engine, Defender) hands out the nonces."""
    return any(
        e.target == "nonce manager" or any(word in e.call.lower() for word in MANAGERS)
        for e in effects
        if e.role in (Role.CHAIN_NONCE, Role.CHAIN_SEND)
    )


def shares_nonce(worker: Worker) -> bool:
    """Whether the handler sends from an account whose nonce has to be kept in order, and nothing does it for it."""
    account = [e for e in sends(worker) if not is_solana(e)]
    return bool(account) and not nonce_managed(worker.effects)
