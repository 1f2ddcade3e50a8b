"""What jobs are for: by the user's config, by the roles that the handler reaches, by the words of queue and job names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from auditor.code.model import Effect, Kind, KindBy, Producer, Role, Worker

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
WORDS: Mapping[Kind, frozenset[str]] = {
    Kind.CLEANUP: frozenset(("cleanup", "clean", "cleaner", "purge", "prune", "expire", "expired", "gc", "sweep")),
    Kind.REFUND: frozenset(("refund", "refunds", "chargeback", "chargebacks")),
    Kind.PAYMENT: frozenset(("payment", "payments", "charge", "charges", "checkout", "billing", "invoice", "invoices", "pay", "capture", "purchase", "purchases")),
    Kind.NFT: frozenset(("nft", "nfts", "mint", "mints", "minting")),
    Kind.TRANSFER: frozenset(
        ("transfer", "transfers", "withdraw", "withdraws", "withdrawal", "withdrawals", "deposit", "deposits", "payout", "payouts", "transaction",
         "transactions", "settlement", "swap")
    ),
    Kind.EMAIL: frozenset(("email", "emails", "mail", "mails", "mailer", "newsletter", "smtp")),
    Kind.QR: frozenset(("qr", "qrcode", "barcode")),
    Kind.ANALYTICS: frozenset(("analytics", "statistics", "stats", "metrics", "tracking", "report", "reports", "reporting")),
}  # fmt: skip
"""In the order in which they decide where a name has words of several kinds."""
_RECONCILES = frozenset(("reconcile", "reconciler", "reconciliation"))
"""Words of jobs that compare what was charged or sent: they do neither."""
_TELLS = frozenset(("notification", "notifications", "notifier", "notify", "webhook", "webhooks", "audit"))
"""Words of jobs that tell somebody of what was charged or sent."""
_NO_CHARGE = re.compile(
    r"meterEvents|UsageRecord|customers\.create|setupIntents|invoiceItems|checkout\.sessions|invoices\.create$"
)
_NFT = re.compile(r"erc721|erc1155|bubblegum|candymachine|tokenuri|baseuri", re.I)
_OUTWARD = frozenset((Role.HTTP_WRITE, Role.STORAGE_UPLOAD, Role.NOTIFY, Role.CPU))
_NEAR = 3
_ORDER = (Kind.PAYMENT, Kind.REFUND, Kind.NFT, Kind.TRANSFER, Kind.EMAIL)


def with_kinds(
    producers: Sequence[Producer], workers: Sequence[Worker], configured: Mapping[str, str]
) -> tuple[tuple[Producer, ...], tuple[Worker, ...]]:
    """Both with their kinds; `configured` maps queue or job names to kinds."""
    judged = tuple(_with_handlers(worker, configured) for worker in workers)
    by_queue: dict[str, list[Worker]] = {}
    for worker in judged:
        for one in worker.handlers or (worker,):
            for name in (*one.queue, *one.queue_shapes):
                by_queue.setdefault(name, []).append(one)
    return tuple(_with_cases(job, by_queue, configured) for job in producers), judged


def _with_handlers(worker: Worker, configured: Mapping[str, str]) -> Worker:
    judged = _of_worker(worker, configured)
    return replace(judged, handlers=tuple(_of_worker(one, configured) for one in worker.handlers))


def _with_cases(job: Producer, by_queue: Mapping[str, list[Worker]], configured: Mapping[str, str]) -> Producer:
    judged = _of_producer(job, by_queue, configured)
    return replace(judged, cases=tuple(_of_producer(one, by_queue, configured) for one in job.cases))


def by_words(*names: str | None) -> Kind:
    """The kind that names speak of; the first name that speaks of one decides."""
    for name in names:
        words = {word.lower() for word in _WORD.findall(name or "")}
        if words & _RECONCILES:
            return Kind.OTHER
        if words & _TELLS:
            return Kind.EMAIL if words & WORDS[Kind.EMAIL] else Kind.OTHER
        for kind, wanted in WORDS.items():
            if words & wanted:
                return kind
    return Kind.OTHER


def by_names(queues: Sequence[str], *others: str | None) -> Kind:
    """The kind that the names of queues, then jobs and handlers speak of: what a mailing or telling queue is filled with is its subject."""
    of_queue = by_words(*queues)
    tells = of_queue is Kind.EMAIL or any(_TELLS & {word.lower() for word in _WORD.findall(name)} for name in queues)
    of_others = by_words(*others)
    return Kind.EMAIL if tells and Kind.EMAIL in (of_queue, of_others) else of_queue if tells else of_others


def by_roles(effects: Iterable[Effect], name: str = "", told: Kind = Kind.OTHER) -> tuple[Kind, ...]:
    """The kinds that a handler's calls make it, the costliest first; what only its failure path does makes none.

    A mail that a handler sends on the side (far down its reach, beside other things that it does to the world) makes it no
    e-mail job, unless its names say so too (`told`).
    """
    found: set[Kind] = set()
    done = [effect for effect in effects if "catch" not in effect.within]
    alone = not any(effect.role in _OUTWARD for effect in done)
    for effect in done:
        if effect.role is Role.PAYMENT_CREATE and not _NO_CHARGE.search(effect.call):
            found.add(Kind.PAYMENT)
        elif effect.role is Role.REFUND_CREATE:
            found.add(Kind.REFUND)
        elif effect.role is Role.CHAIN_SEND:
            found.add(Kind.NFT if _mints(f"{effect.call} {effect.target} {effect.symbol} {name}") else Kind.TRANSFER)
        elif effect.role is Role.EMAIL_SEND and (alone or told is Kind.EMAIL or len(effect.path) <= _NEAR):
            found.add(Kind.EMAIL)
    return tuple(kind for kind in _ORDER if kind in found)


def _mints(text: str) -> bool:
    """Whether names speak of minting, word by word: `lazyMint` does, `adminTransfer` and `minTokens` don't."""
    words = [word.lower() for word in _WORD.findall(text)]
    return _NFT.search(text) is not None or any(
        word.startswith(("mint", "nft")) or word.endswith(("mint", "nft", "nfts")) for word in words
    )


def _of_worker(worker: Worker, configured: Mapping[str, str]) -> Worker:
    given = _configured((*worker.queue, *worker.jobs), configured)
    if given is not None:
        return replace(worker, kind=given, kind_by=KindBy.CONFIG)
    told = by_names(worker.queue, *worker.queue, *worker.jobs, worker.handler_name.rsplit(".", 1)[-1])
    roles = by_roles(worker.effects, f"{' '.join(worker.queue)} {worker.handler_name}", told)
    if roles:
        return replace(worker, kind=told if told in roles else roles[0], kind_by=KindBy.ROLES)
    return replace(worker, kind=told, kind_by=KindBy.NOTHING if told is Kind.OTHER else KindBy.NAMES)


def _of_producer(job: Producer, by_queue: Mapping[str, list[Worker]], configured: Mapping[str, str]) -> Producer:
    given = _configured((*((job.job,) if job.job else ()), *job.queue), configured)
    if given is not None:
        return replace(job, kind=given, kind_by=KindBy.CONFIG)
    told = by_names(job.queue, job.job, *job.queue)
    consumers = [
        worker
        for name in (*job.queue, *job.queue_shapes)
        for worker in by_queue.get(name, ())
        if not worker.jobs or job.job is None or job.job in worker.jobs
    ]
    alone = [worker for worker in consumers if len(worker.queue) == 1 or not worker.queue]
    roles = {
        kind for worker in alone for kind in by_roles(worker.effects, f"{' '.join(worker.queue)} {worker.handler_name}")
    }
    if roles and (told in roles or told is Kind.OTHER or len(roles) == 1):
        first = next(kind for kind in _ORDER if kind in roles)
        return replace(job, kind=told if told in roles else first, kind_by=KindBy.ROLES)
    return replace(job, kind=told, kind_by=KindBy.NOTHING if told is Kind.OTHER else KindBy.NAMES)


def _configured(names: Iterable[str], configured: Mapping[str, str]) -> Kind | None:
    return next((Kind(configured[name]) for name in names if name in configured), None)
