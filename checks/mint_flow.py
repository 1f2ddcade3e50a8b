"""What surrounds a mint: confirmation, metadata, batches, congestion, notification (items 50, 53, 56 to 60)."""

from __future__ import annotations

from collections.abc import Mapping

from auditor.code.model import CodeModel, Effect, OptionState, Producer, Role, Worker
from auditor.model import Confidence, Verdict
from auditor.probes import probe

from ._chain import FLAT_FEE, has_flat_fee, is_solana
from ._conditions import condition_of
from ._guards import before, hangs_on
from ._handlers import fills, first, of, path_of, surely
from ._kinds import MINT, by_handler, by_job, names_alone, needs_call
from ._options import choices, described, number, numbers, option, places, sureness
from ._roles import WRITES
from ._sends import at_mint, mint_of
from ._subjects import Judged, bad, good, subject_of, unsure
from .resources import unbounded

STORED = ("uri", "cid", "metadata", "ipfs", "arweave", "irys", "upload", "pinned")
"""What an earlier upload left: its name."""
BALANCE = ("balance", "funds", "lamports")
GONE = ("nft.storage",)
"""Uploads are shut down."""
BY_CONTENT = ("pinata", "ipfs", "kubo", "web3.storage", "storacha", "helia", "fleek", "nft.storage")
"""The same bytes get the same name; Irys and Arweave make a new one each time."""
TELLS = frozenset({Role.NOTIFY, Role.HTTP_WRITE, Role.ENQUEUE, Role.EMAIL_SEND})
FEES = ("gasprice", "maxfee", "basefee", "feedata", "priorityfee", "feecap", "gaslimit", "gascost", "maxgas", "fee")


@probe("mint.confirmation_timeout")
def confirmation_timeout(code: CodeModel) -> Verdict:
    """The wait for a receipt ends: a timeout on the wait, or the expiry of the blockhash (Solana)."""
    return by_handler(code, MINT, _bounded_wait, "every wait for a receipt has an end")


@probe("mint.metadata_upload")
def metadata_upload(code: CodeModel) -> Verdict:
    """Metadata is uploaded once: looked up before, or content-addressed with the URI stored before the mint.

    nft.storage takes no uploads any more; Irys and Arweave give a new id to the same bytes, so they need an own record.
    """
    return by_handler(code, MINT, _upload, "metadata is uploaded once", "no mint handler uploads metadata")


@probe("mint.resumable_batches")
def resumable_batches(code: CodeModel) -> Verdict:
    """A batch is many jobs or flow children, or keeps a checkpoint, so that a retry does not start from the first item."""
    return by_handler(code, MINT, _batch, "a batch goes on where it stopped")


@probe("mint.gas_spikes")
def gas_spikes(code: CodeModel) -> Verdict:
    """The fee is read and compared with a cap before the send, which waits or stops when it is above.

    Transactions that state the whole of their fee (XRPL, Stellar, Algorand, Hedera, TON) are their own cap.
    """
    return by_handler(code, MINT, _fee_cap, "the fee is capped before every mint", FLAT_FEE)


@probe("mint.congestion_backoff")
def congestion_backoff(code: CodeModel) -> Verdict:
    """Mint jobs try at least 5 times with exponential or own backoff: congestion lasts minutes, not seconds.

    Jobs that are mints by their name alone, while their handler is followed to no chain, prove nothing of congestion.
    """
    return by_job(code, MINT, _congestion, "mint jobs outlast congestion")


@probe("mint.confirmation")
def confirmation(code: CodeModel) -> Verdict:
    """The job completes only when the transaction is confirmed: an awaited wait for the receipt after the send."""
    return by_handler(code, MINT, _confirmed, "every mint is confirmed before its job completes")


@probe("mint.notification")
def notification(code: CodeModel) -> Verdict:
    """Somebody is told of a mint: a webhook, message or job after the confirmation, or a `completed` listener that does."""
    return by_handler(code, MINT, _notified, "a mint is told to whoever waits for it")


@at_mint("how long it waits for a receipt")
def _bounded_wait(_: CodeModel, worker: Worker, send: Effect) -> Judged:
    name = subject_of(worker).name
    waits = of(worker, Role.CHAIN_CONFIRM) or ((send,) if _waits_itself(send) else ())
    if not waits:
        return bad(
            f"{name}: nothing waits for {send.call}, so nothing times out",
            "no wait",
            expected="a bounded wait",
            place=send.span,
            related=send.calls,
            confidence=surely(send),
        )
    endless = next((effect for effect in waits if unbounded(effect) and not is_solana(effect)), None)
    if endless:
        return bad(
            f"{name}: {path_of(worker, endless)} waits without a timeout: a dropped transaction holds the job for ever",
            f"{endless.call}: no timeout",
            expected="waitForTransaction(hash, n, timeout) or its like",
            place=endless.span,
            related=endless.calls,
            confidence=surely(endless),
        )
    wait = waits[0]
    if is_solana(wait):
        return good(f"{wait.call}: ends with the blockhash", confidence=Confidence.LIKELY, related=(wait.span,))
    if wait.timeout is None or wait.timeout.state is OptionState.UNKNOWN:
        return unsure(
            f"{name}: whether {wait.call} ({wait.span.label()}) has an end could not be resolved", related=(wait.span,)
        )
    return good(
        f"{wait.call}: {described('timeout', wait.timeout)}", confidence=Confidence.LIKELY, related=(wait.span,)
    )


def _upload(_: CodeModel, worker: Worker) -> Judged | None:
    name, send = subject_of(worker).name, mint_of(worker)
    uploads = of(worker, Role.STORAGE_UPLOAD)
    if not uploads:
        return None if worker.followed else needs_call(worker, "whether it uploads metadata", Role.STORAGE_UPLOAD)
    gone = next((effect for effect in uploads if any(word in effect.package for word in GONE)), None)
    if gone:
        return bad(
            f"{name}: {gone.call}: nft.storage takes no uploads any more",
            gone.call,
            place=gone.span,
            related=gone.calls,
            fix="pin with Pinata, Storacha or your own node",
        )
    first_upload = uploads[0]
    asked = next((e for e in before(worker, first_upload) if e.guards and hangs_on(first_upload, e)), None)
    tested = condition_of(worker, STORED, before=first_upload, stops=False)
    known = asked.span if asked else tested.span if tested else None
    if known:
        return good(
            f"{first_upload.call} is reached only where {known.label()} finds no earlier upload",
            confidence=Confidence.LIKELY,
            related=(known,),
        )
    kept = [
        e
        for e in of(worker, *WRITES, Role.CHECKPOINT)
        if e.order > first_upload.order and (send is None or e.order < send.order)
    ]
    content = any(
        word in f"{first_upload.package} {first_upload.call} {first_upload.symbol}".lower() for word in BY_CONTENT
    )
    if kept and content:
        return bad(
            f"{name}: {path_of(worker, first_upload)} uploads again on every retry: {kept[0].call}"
            f" ({kept[0].span.label()}) keeps its name, but nothing asks for it",
            f"{first_upload.call}, nothing asked before",
            expected="skip the upload where the URI is stored",
            place=first_upload.span,
            related=(*first_upload.calls, kept[0].span),
            confidence=surely(first_upload),
        )
    why = "its URI is not stored before the mint" if content else "the same bytes get a new id each time"
    return bad(
        f"{name}: {path_of(worker, first_upload)} uploads again on every retry: {why}",
        f"{first_upload.call}, nothing asked before",
        expected="look the URI up first, and store it before the mint",
        place=first_upload.span,
        related=first_upload.calls,
        confidence=surely(first_upload),
    )


@at_mint("whether one job mints many")
def _batch(code: CodeModel, worker: Worker, send: Effect) -> Judged:
    name = subject_of(worker).name
    kept = first(worker.effects, {Role.CHECKPOINT})
    send = next((each for each in of(worker, Role.CHAIN_SEND) if "loop" in each.within), send)
    if "loop" in send.within and not kept:
        return bad(
            f"{name}: {path_of(worker, send)} mints in a loop without a checkpoint: a retry starts from the first item",
            "a loop, no updateData or updateProgress",
            expected="one job or flow child per item, or a stored cursor",
            place=send.span,
            related=send.calls,
            confidence=surely(send),
        )
    if kept:
        return good(
            f"{name}: {kept.call} ({kept.span.label()}) keeps how far it got",
            confidence=Confidence.LIKELY,
            related=(kept.span,),
        )
    many = next((job for job in fills(code, worker) if job.method in ("addBulk", "addFlow") or job.children), None)
    told = f"; a batch is enqueued by {many.method} ({many.span.label()})" if many else ""
    return good(f"{name}: one job mints one item{told}", confidence=Confidence.LIKELY)


@at_mint("whether it caps the fee")
def _fee_cap(_: CodeModel, worker: Worker, send: Effect) -> Judged | None:
    if has_flat_fee(send):
        return None
    name = subject_of(worker).name
    test = condition_of(worker, FEES, before=send, compares=True, other_than=BALANCE)
    read = next((e for e in of(worker, Role.CHAIN_GAS) if e.order < send.order and _judged_by_caller(worker, e)), None)
    if test or read:
        span = test.span if test else read.span if read else send.span
        return good(
            f"{name}: the fee is compared before {send.call} ({span.label()})",
            confidence=Confidence.LIKELY,
            related=(span,),
        )
    return bad(
        f"{name}: {path_of(worker, send)} is sent at any price: no fee cap, no delay when gas is high",
        "no fee compared",
        expected="a cap; above it moveToDelayed or DelayedError",
        place=send.span,
        related=send.calls,
        confidence=surely(send),
    )


def _judged_by_caller(worker: Worker, read: Effect) -> bool:
    """Whether what the function that reads the fee makes of it decides in another one: `if (await tooDear()) throw`."""
    own = read.path[-1] if read.path else read.span
    test = next((test for test in worker.tests if test.order > read.order and test.stops), None)
    if not read.guards or test is None:
        return False
    return test.span.path != own.path or not own.start <= test.span.start <= own.end


def _congestion(code: CodeModel, job: Producer) -> Judged:
    name, tries, wait = subject_of(job).name, option(job.options, "attempts"), option(job.options, "backoff")
    told, related = f"{described('attempts', tries)}; {described('backoff', wait)}", places(tries, wait)
    if OptionState.UNKNOWN in (tries.state, wait.state):
        return unsure(f"{name}: {told}", related=related)
    made = numbers(tries)
    grows = all(isinstance(value, Mapping) and value.get("type") not in (None, "fixed") for value in choices(wait))
    if made and min(made) >= 5 and grows:
        return good(told, confidence=sureness(tries, job.span), related=related)
    why = "fewer than 5 attempts" if not made or min(made) < 5 else "a backoff that does not grow"
    return bad(
        f"{name}: {why} ({told}): congestion outlasts it",
        told,
        expected="5 to 10 attempts, exponential",
        related=related,
        confidence=Confidence.POSSIBLE if names_alone(code, job) else sureness(tries, job.span),
    )


_CONFIRMING = ("@metaplex-foundation/js", "@thirdweb-dev/sdk")
"""SDKs whose sending calls come back when the transaction is confirmed."""


def _waits_itself(send: Effect) -> bool:
    return send.package in _CONFIRMING or any(
        word in send.call.lower() for word in ("andconfirm", "sendandwait", "sync")
    )


@at_mint("whether it waits for the confirmation")
def _confirmed(_: CodeModel, worker: Worker, send: Effect) -> Judged:
    name = subject_of(worker).name
    if _waits_itself(send) and send.awaited:
        return good(f"{send.call} waits for the confirmation", confidence=Confidence.LIKELY, related=(send.span,))
    waited = next((e for e in of(worker, Role.CHAIN_CONFIRM) if e.awaited and e.order >= send.order), None)
    if waited:
        zero = waited.arguments and number(waited.arguments[0].value) == 0 and waited.call.endswith(".wait")
        if not zero:
            return good(
                f"{waited.call} ({waited.span.label()}) is awaited",
                confidence=Confidence.LIKELY,
                related=(waited.span,),
            )
    return bad(
        f"{name}: {path_of(worker, send)} is sent, and the job completes without waiting for a confirmation",
        "no awaited wait after the send",
        expected="await tx.wait(1) or its like",
        place=send.span,
        related=send.calls,
        confidence=surely(send),
    )


@at_mint("whom it tells")
def _notified(_: CodeModel, worker: Worker, send: Effect) -> Judged:
    name = subject_of(worker).name
    told = [e for e in of(worker, *TELLS) if e.order > send.order and "catch" not in e.within]
    told += [
        e
        for item in worker.listeners
        if item.live and item.event == "completed"
        for e in item.effects
        if e.role in TELLS
    ]
    if told:
        return good(
            f"{told[0].call} ({told[0].span.label()}) tells of the mint",
            confidence=Confidence.LIKELY,
            related=(told[0].span,),
        )
    return bad(
        f"{name}: after {send.call} nobody is told: no message, webhook or job, and no completed listener that does",
        "no notification after the mint",
        expected="notify after the confirmation",
        place=send.span,
        related=send.calls,
        confidence=surely(send),
    )
