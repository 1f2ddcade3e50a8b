"""Mint jobs: twice is never right, and never half (items 46 to 49, 51, 52, 54, 55)."""

from __future__ import annotations

import re

from auditor.code.model import CodeModel, Effect, Kind, Option, OptionState, Producer, Role, Worker
from auditor.model import Confidence, Verdict
from auditor.probes import probe

from ._at_once import at_once
from ._chain import FLAT_FEE, has_flat_fee, is_solana, nonce_managed
from ._conditions import condition_of
from ._guards import guard_of
from ._handlers import first, of, path_of, surely
from ._kinds import MINT, by_handler, by_job, main_call, needs_call, producers
from ._options import choices, described, number, option, places, sureness
from ._roles import WRITES
from ._sends import at_mint, mint_of, sends
from ._subjects import Judged, bad, good, subject_of, unsure
from .priorities import turn

NONCE_ERRORS = (
    "nonce",
    "replacement",
    "underpriced",
    "already known",
    "blockhash",
    "blockheight",
    "block_height",
    "transactionexpired",
    "already_processed",
    "past_seq",
    "bad_seq",
    "seqno",
)
BATCHES = ("batch", "bulk", "airdrop", "backfill", "campaign")
SIGNATURES = ("signature", "transactionid", "transaction_id", "txid", "tx_id", "hash", "sig")
DONE = frozenset(
    {"already", "sent", "delivered", "processed", "handled", "done", "duplicate", "dedup", "idempotent", "idempotency"}
)
BALANCE = ("balance", "funds", "lamports")


@probe("mint.idempotency_key")
def idempotency_key(code: CodeModel) -> Verdict:
    """A mint's id comes from the request, order or ticket: the job's id, or a stored key that the handler looks up first."""
    return by_job(code, MINT, identified, "every mint job is identified by its request")


@probe("mint.prior_mint")
def prior_mint(code: CodeModel) -> Verdict:
    """Before it sends, the handler reads the mint's record or the chain by the request's key, and stops if it was minted."""
    return by_handler(code, MINT, _prior_mint, "every mint handler looks for an earlier mint first")


@probe("mint.nonce")
def nonce(code: CodeModel) -> Verdict:
    """One nonce, one transaction.

    EVM: a nonce manager, or one worker with concurrency 1 per wallet. Solana: a fresh blockhash and a look at the first
    signature's status before a re-sign (a re-signed transaction mints twice), or a durable nonce.
    """
    return by_handler(code, MINT, _nonce, "nonces are handed out in order")


@probe("mint.gas_buffer")
def gas_buffer(code: CodeModel) -> Verdict:
    """Gas is estimated before the send and the limit comes from the estimate; Solana: a compute-unit limit from simulation.

    Chains whose transactions state the whole of their fee (XRPL, Stellar, Algorand, Hedera, TON) have no gas to estimate.
    """
    return by_handler(code, MINT, _gas, "gas is estimated before every mint", FLAT_FEE)


@probe("mint.nonce_errors")
def nonce_errors(code: CodeModel) -> Verdict:
    """A catch tells nonce errors apart: nonce too low, underpriced replacement; Solana: blockhash not found, expired."""
    return by_handler(code, MINT, _nonce_errors, "nonce errors are told apart")


@probe("mint.orphaned_records")
def orphaned_records(code: CodeModel) -> Verdict:
    """A record written before the send is marked failed or rolled back when the mint fails."""
    return by_handler(code, MINT, _orphans, "a failed mint leaves no record behind")


@probe("mint.wallet_balance")
def wallet_balance(code: CodeModel) -> Verdict:
    """The wallet's balance is read before the send and compared."""
    return by_handler(code, MINT, _balance, "the wallet's balance is checked before every mint")


@probe("mint.priority")
def priority(code: CodeModel) -> Verdict:
    """Where several producers share a mint queue, they set priorities, and what a user waits for comes before a batch.

    A batch is what another job makes, `addBulk`, or a job that is called so.
    """
    return by_job(
        code, MINT, _priority, "mint jobs are ordered by priority", "one producer only: there is nothing to go before"
    )


def identified(code: CodeModel, job: Producer) -> Judged:
    """Whether a job that must not run twice has a deterministic id, or its handler a claim of its own."""
    name = subject_of(job).name
    if job.job_id is True or (job.scheduler is not None and job.scheduler.state is OptionState.KNOWN):
        made = f"made of {', '.join(job.job_id_parts)}" if job.job_id_parts else "deterministic"
        return good(f"{name}: id {made}", confidence=Confidence.LIKELY)
    consumers = [w for w in code.consumers if w.live and set(w.queue) & set(job.queue)]
    for worker in consumers:
        call = main_call(worker, Role.CHAIN_SEND, Role.EMAIL_SEND, Role.PAYMENT_CREATE, Role.REFUND_CREATE)
        guard = guard_of(worker, call) if call else None
        if guard and (job.kind is not Kind.EMAIL or _remembers(guard)):
            return good(
                f"{name}: no id of its own, but its handler asks {guard.call} first",
                confidence=Confidence.LIKELY,
                related=(guard.span,),
            )
    found: Option = option(job.options, "jobId")
    if job.job_id is None and found.state is not OptionState.ABSENT:
        return unsure(
            f"{name}: whether its id is the same at a second call could not be resolved",
            described("jobId", found),
            related=places(found),
        )
    if consumers and not all(worker.followed for worker in consumers):
        return unsure(
            f"{name}: no deterministic id, and its handler's reach could not be followed to see a check of its own"
        )
    what = "its id is new at every call" if job.job_id is False else "it has no id"
    return bad(
        f"{name}: {what}, and its handler looks nothing up first: enqueued twice, it runs twice",
        described("jobId", found),
        expected="a jobId made of the request's id, or a record that the handler checks first",
        related=places(found),
        confidence=Confidence.LIKELY,
    )


def _remembers(guard: Effect) -> bool:
    """A look at what was sent before; that a recipient exists or a group is still paused says nothing of it.

    The call or its table says so, or the helper that makes it: `isAlreadyProcessed`.
    """
    text = f"{guard.call} {guard.target}".lower().replace("consent", "")
    helper = re.findall(r"[A-Z]?[a-z]+", guard.steps[-1] if len(guard.steps) > 1 else "")
    return (
        guard.claims
        or any(word in text for word in ("sent", "mail", "notif", "deliver", "dedup", "idempot", "outbox", "message"))
        or any(word.lower() in DONE for word in helper)
    )


@at_mint("whether it looks for an earlier mint")
def _prior_mint(_: CodeModel, worker: Worker, send: Effect) -> Judged:
    guard = guard_of(worker, send)
    if guard:
        return good(
            f"{guard.call} ({guard.span.label()}) stands before {send.call}",
            confidence=Confidence.LIKELY,
            related=(guard.span,),
        )
    return bad(
        f"{subject_of(worker).name}: {path_of(worker, send)} is sent with no look at an earlier mint: a retry mints again",
        f"nothing before {send.call}",
        expected="a read of the mint's record or chain state by the request's key, which stops",
        place=send.span,
        related=send.calls,
        confidence=surely(send),
    )


def _nonce(code: CodeModel, worker: Worker) -> Judged:
    name, sent = subject_of(worker).name, sends(worker)
    if not sent:
        return needs_call(worker, "who manages its nonce", Role.CHAIN_SEND)
    if all(is_solana(effect) for effect in sent):
        return _blockhash(worker, name)
    if nonce_managed(worker.effects):
        return good(f"{name}: a nonce manager is in reach", confidence=Confidence.LIKELY)
    return _account_nonce(code, worker, name, next((e for e in sent if "parallel" in e.within), sent[0]))


def _account_nonce(code: CodeModel, worker: Worker, name: str, send: Effect) -> Judged:
    most = at_once(code, worker)
    explicit = first(worker.effects, {Role.CHAIN_NONCE})
    lock = next((e for e in of(worker, Role.LOCK) if e.order < send.order), None)
    if explicit and lock:
        return good(
            f"{name}: explicit nonce under {lock.call}",
            confidence=Confidence.LIKELY,
            related=(explicit.span, lock.span),
        )
    if "parallel" in send.within:
        message = (
            f"{name}: {path_of(worker, send)} is sent for many items at once, from one account without a nonce manager"
        )
        return bad(
            message,
            "a map of sends",
            expected="a nonce manager, or one at a time",
            place=send.span,
            related=send.calls,
            confidence=surely(send),
        )
    if most == 1:
        return good(f"{name}: one job at a time sends from the wallet (in one process)", confidence=Confidence.LIKELY)
    if most is None:
        return unsure(f"{name}: no nonce manager, and its concurrency could not be resolved", related=(send.span,))
    return bad(
        f"{name}: {path_of(worker, send)} runs {most} at once on one account without a nonce manager",
        f"{most} jobs at once",
        expected="NonceManager, viem's nonceManager, an engine, or concurrency 1",
        place=send.span,
        related=send.calls,
        confidence=surely(send),
    )


def _blockhash(worker: Worker, name: str) -> Judged:
    fresh = first(worker.effects, {Role.CHAIN_NONCE})
    looked = next(
        (
            e
            for e in of(worker, Role.CHAIN_READ)
            if "signaturestatus" in e.call.lower() or "gettransaction" in e.call.lower()
        ),
        None,
    )
    if (fresh and "durable" in fresh.call.lower()) or looked:
        seen = looked or fresh
        return good(
            f"{name}: {seen.call if seen else ''} before a transaction is signed again", confidence=Confidence.LIKELY
        )
    send = mint_of(worker) or sends(worker)[0]
    guard = guard_of(worker, send)
    if guard and (guard.claims or _minds_sent(worker, send)):
        return good(f"{name}: an earlier mint is looked up before a new signature", confidence=Confidence.LIKELY)
    return bad(
        f"{name}: {path_of(worker, send)} signs anew on a retry without a look at the first signature: both may land",
        "no signature status read",
        expected="getSignatureStatuses before a re-sign, or a durable nonce",
        place=send.span,
        related=send.calls,
        confidence=surely(send),
    )


def _minds_sent(worker: Worker, send: Effect) -> bool:
    """Whether what the handler asks of the record before the send covers a transaction that is out but not final yet.

    Where all that it compares is a final status (`confirmed`), an attempt that sent and then lost track signs again.
    """
    asked = [test for test in worker.tests if test.order <= send.order and test.stops]
    told = [name.lower() for test in asked for name in test.names]
    if any(word in name for name in told for word in SIGNATURES):
        return True
    status = [test for test in asked if any(name.endswith((".status", ".state")) for name in test.names)]
    compared = [value for test in status for value in (*test.values, *(n for n in test.names if _CONSTANT.search(n)))]
    return not compared or not all(_FINAL.search(value) for value in compared)


_CONSTANT = re.compile(r"\.[A-Z][A-Z_]+$")
_FINAL = re.compile(r"complet|confirm|minted|done|success|finish|final|^paid$", re.I)


@at_mint("whether it estimates gas")
def _gas(_: CodeModel, worker: Worker, send: Effect) -> Judged | None:
    if has_flat_fee(send):
        return None
    name = subject_of(worker).name
    wanted = (
        ("computeunitlimit", "simulate", "unitsconsumed")
        if is_solana(send)
        else ("estimate", "simulate", "prepare", "extragas")
    )
    found = [
        e for e in of(worker, Role.CHAIN_GAS) if e.order <= send.order and any(w in e.call.lower() for w in wanted)
    ]
    if found and all(e.scaled is False for e in found):
        return bad(
            f"{name}: {path_of(worker, send)} gets the estimate of {found[0].call} as its limit, without a margin",
            "gas limit: the estimate itself",
            expected="estimate, times a factor above 1, as the limit",
            place=send.span,
            related=(*send.calls, found[0].span),
            confidence=surely(send),
        )
    if found:
        seen = next(e for e in found if e.scaled is not False)
        return good(
            f"{seen.call} ({seen.span.label()}) before {send.call}",
            confidence=Confidence.LIKELY,
            related=(seen.span,),
        )
    what = "a compute-unit limit or simulation" if is_solana(send) else "an estimate of its own"
    return bad(
        f"{name}: {path_of(worker, send)} is sent without {what}: the default has no margin",
        "no gas estimate in reach",
        expected="estimate, times a factor above 1, as the limit",
        place=send.span,
        related=send.calls,
        confidence=surely(send),
    )


@at_mint("which errors it tells apart")
def _nonce_errors(_: CodeModel, worker: Worker, send: Effect) -> Judged:
    name = subject_of(worker).name
    for catch in worker.catches:
        told = [
            word
            for word in catch.tells
            if any(part in word.lower().replace(" ", "").replace("_", "") for part in _squeezed())
        ]
        if told:
            return good(
                f"catch at {catch.span.label()} tells {', '.join(told[:3])} apart",
                confidence=Confidence.LIKELY,
                related=(catch.span,),
            )
    return bad(
        f"{name}: no catch around {send.call} tells nonce errors apart: a retry sends again what may be out already",
        f"{len(worker.catches)} catches, none looks at the nonce",
        expected="NONCE_EXPIRED, REPLACEMENT_UNDERPRICED; Solana: blockhash not found, block height exceeded",
        place=send.span,
        related=(*send.calls, *tuple(catch.span for catch in worker.catches[:3])),
        confidence=surely(send),
    )


def _squeezed() -> tuple[str, ...]:
    return tuple(word.replace(" ", "").replace("_", "") for word in NONCE_ERRORS)


@at_mint("what it leaves behind when a mint fails")
def _orphans(_: CodeModel, worker: Worker, send: Effect) -> Judged:
    name = subject_of(worker).name
    written = [e for e in of(worker, *WRITES) if e.order < send.order and "catch" not in e.within]
    undone = [c.span for c in worker.catches if "record" in c.does] + [
        e.span for e in of(worker, *WRITES) if "catch" in e.within
    ]
    undone += [
        e.span
        for item in worker.listeners
        if item.live and item.event == "failed"
        for e in item.effects
        if e.role in WRITES
    ]
    if undone:
        return good(
            f"{name}: a failed mint is recorded at {undone[0].label()}",
            confidence=Confidence.LIKELY,
            related=tuple(undone[:3]),
        )
    if not written:
        return good(f"{name}: no record is written before {send.call}", confidence=Confidence.LIKELY)
    return bad(
        f"{name}: {written[0].call} ({written[0].span.label()}) is written before {send.call}, and nothing marks it when the mint fails",
        "no write in a catch or failed listener",
        expected="the record marked failed, or a transaction that rolls back",
        place=written[0].span,
        related=(
            *written[0].calls,
            send.span,
        ),
        confidence=surely(written[0]),
    )


@at_mint("whether it looks at its balance")
def _balance(_: CodeModel, worker: Worker, send: Effect) -> Judged:
    name = subject_of(worker).name
    read = next((e for e in of(worker, Role.CHAIN_BALANCE) if e.order < send.order), None)
    if read and (read.guards or condition_of(worker, BALANCE, before=send)):
        return good(
            f"{read.call} ({read.span.label()}) is read and compared before {send.call}",
            confidence=Confidence.LIKELY,
            related=(read.span,),
        )
    what = (
        f"reads {read.call} but compares it with nothing"
        if read
        else f"does not read the wallet's balance before {send.call}"
    )
    return bad(
        f"{name} {what}: an empty wallet burns all attempts",
        "no balance compared",
        expected="getBalance before the send, compared with the cost",
        place=send.span,
        related=(read.span,) if read else (),
        confidence=surely(send),
    )


def _priority(code: CodeModel, job: Producer) -> Judged | None:
    peers = [other for other in producers(code, MINT) if other.live and set(other.queue) & set(job.queue)]
    found = option(job.options, "priority")
    if len(peers) < 2 and len(job.via) < 2 and found.state is OptionState.ABSENT:
        return None
    name = subject_of(job).name
    if found.state is OptionState.UNKNOWN:
        return unsure(f"{name}: {described('priority', found)}", related=places(found))
    behind = next(
        (peer for peer in peers if not _is_batch(job) and _is_batch(peer) and not _goes_before(job, peer)), None
    )
    if behind is not None and found.state is not OptionState.ABSENT:
        theirs = option(behind.options, "priority")
        return bad(
            f"{name}: {described('priority', found)}, and the batch of {subject_of(behind).name} ({behind.span.label()})"
            f" comes out no later ({described('priority', theirs)}): whoever waits for a mint waits behind it",
            described("priority", found),
            expected="a smaller number than the batch's",
            related=(behind.span, *places(found, theirs)),
            confidence=Confidence.LIKELY,
        )
    if any(option(peer.options, "priority").state is not OptionState.ABSENT for peer in peers):
        ranked = [value for value in choices(found) if number(value)]
        return good(described("priority", found), confidence=sureness(found, job.span) if ranked else Confidence.LIKELY)
    sharing = (
        f"{len(peers) - 1} more mint producers"
        if len(peers) > 1
        else f"itself: {len(job.via)} places enqueue through it"
    )
    return bad(
        f"{name} shares its queue with {sharing}, and none sets a priority: a buyer waits behind a batch",
        described("priority", found),
        expected="a priority, smaller for mints that a user waits for",
        related=(*(peer.span for peer in peers if peer is not job), *job.via)[:4],
        confidence=Confidence.LIKELY,
    )


def _is_batch(job: Producer) -> bool:
    """Whether nobody waits for the job: another job makes it, or it is made with many others."""
    named = f"{job.job or ''} {job.symbol}".lower()
    return job.in_handler or job.method in ("addBulk", "addFlow") or any(word in named for word in BATCHES)


def _goes_before(job: Producer, batch: Producer) -> bool:
    """Whether each priority that the job may have comes out before each that the batch may have; true where one is open."""
    first, second = option(job.options, "priority"), option(batch.options, "priority")
    if OptionState.UNKNOWN in (first.state, second.state):
        return True
    mine, theirs = (
        [turn(each, value) for value in choices(held) or (None,)] for each, held in ((job, first), (batch, second))
    )
    return max(mine) < min(theirs)
