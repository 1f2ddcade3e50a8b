"""What a handler does on a blockchain: which family, whose nonce, who manages it."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.code.model import Effect, Role, Worker

from ._sends import sends

SOLANA = ("solana", "metaplex", "umi", "bubblegum", "anchor")
FLAT_FEES = frozenset(
    {
        "xrpl",
        "stellar-sdk",
        "@stellar/stellar-sdk",
        "algosdk",
        "@hashgraph/sdk",
        "@hiero-ledger/sdk",
        "ton",
        "ton-core",
        "@ton/ton",
        "@ton/core",
    }
)
"""SDKs of chains without a gas limit to estimate: a transaction carries the whole of its fee, and pays no more than that."""
FLAT_FEE = (
    "every mint goes to a chain whose transactions state the whole of their fee: there is no gas to estimate or cap"
)
MANAGERS = ("noncemanager", "nonce_manager", "engine", "enqueuetransaction", "relayer", "defender")


def is_solana(effect: Effect) -> bool:
    """Whether the call belongs to a Solana SDK; everything else on a chain goes by an account nonce."""
    return any(word in effect.package.lower() for word in SOLANA)


def has_flat_fee(effect: Effect) -> bool:
    """Whether the call sends to a chain whose transactions state all that they may cost: XRPL, Stellar, Algorand, Hedera, TON."""
    return effect.package in FLAT_FEES


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
