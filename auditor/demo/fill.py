"""TicketToken's queues as they might look on a bad Tuesday: good jobs, and the mistakes an audit should find.

Planted: refunds without attempts and without a worker, a card number in a payload, a payload above 100 KB, e-mail ids
that a retry cannot recognise, a mint that stalled, the orphan of a dead worker, jobs that BullMQ's missing `timeout`
does not stop, completed analytics jobs kept for ever, a scheduler whose template has no attempts.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from auditor.demo.keys import PREFIX, Job, Json, QueueWriter

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000
_TEST_CARD = "4242424242424242"  # the test number that every payment provider publishes
_KEEP: Json = {"count": 1000, "age": 86_400}
_RETRY: dict[str, Json] = {
    "backoff": {"type": "exponential", "delay": 2000, "jitter": 0.5},
    "removeOnComplete": _KEEP,
    "removeOnFail": {"count": 5000},
}
_WORKED = ("payment-processing", "nft-mint", "ticket-transfer", "email-notifications", "analytics-events", "cleanup")

_rng = random.Random(20241)  # the same demo each time, no secrets

QUEUES = (
    "payment-processing",
    "refunds",
    "nft-mint",
    "ticket-transfer",
    "email-notifications",
    "analytics-events",
    "cleanup",
    "dead-letter",
)
"""The demo's queues; the sample service uses the same."""


@contextmanager
def filled(socket_path: Path) -> Iterator[dict[str, int]]:
    """Fill the server behind `socket_path` and hold connections named like workers; gives the number of jobs per queue."""
    import redis

    with ExitStack() as stack:
        client: Redis = stack.enter_context(redis.Redis(unix_socket_path=str(socket_path), decode_responses=True))
        counts = fill(client)
        for queue in _WORKED:
            stack.enter_context(_worker_connection(socket_path, queue))
        yield counts


def fill(client: Redis) -> dict[str, int]:
    """Write all queues in one pipeline each; gives the number of jobs per queue."""
    now = int(time.time() * 1000)
    writers: dict[str, Callable[[QueueWriter, int], None]] = {
        "payment-processing": _payments,
        "refunds": _refunds,
        "nft-mint": _mints,
        "ticket-transfer": _transfers,
        "email-notifications": _mails,
        "analytics-events": _analytics,
        "cleanup": _cleanup,
        "dead-letter": _dead_letters,
    }
    counts = {}
    for name in QUEUES:
        pipeline: Pipeline = client.pipeline(transaction=False)
        writers[name](QueueWriter(pipeline, name), now)
        pipeline.execute()
        counts[name] = int(cast("str", client.get(f"{PREFIX}:{name}:id")))
    return counts


@contextmanager
def _worker_connection(socket_path: Path, queue: str) -> Iterator[None]:
    """A connection that CLIENT LIST shows as a BullMQ worker of `queue`."""
    import redis

    name = f"{PREFIX}:{base64.b64encode(queue.encode()).decode()}:w:{queue}-1"
    with redis.Redis(unix_socket_path=str(socket_path), client_name=name) as client:
        client.ping()
        yield


def _payments(queue: QueueWriter, now: int) -> None:
    def charge(number: int, added: int) -> Job:
        data: Json = {
            "orderId": f"ord_{number}",
            "amount": 4500 + number % 7 * 500,
            "currency": "usd",
            "paymentMethodId": f"pm_{number}",
        }
        return Job("charge", data, {"attempts": 3, "priority": 1, **_RETRY}, added, f"charge-ord_{number}")

    for number, added in _spread(1001, 180, now, 6 * _HOUR):
        started = added + _rng.randint(20, 900)
        queue.completed(charge(number, added), started, started + _rng.randint(400, 2600), result={"status": "PAID"})
    for number, reason in enumerate(
        ["Your card was declined.", "Your card has insufficient funds.", "Request timed out after 80000ms"], start=1201
    ):
        added = now - number % 5 * _HOUR - _HOUR
        queue.failed(
            charge(number, added), added + 9_000, added + 11_000, reason, attempts_made=3, error="StripeCardError"
        )
    for number, added in _spread(1301, 8, now, 20 * _SECOND):
        queue.waiting(charge(number, added))
    queue.delayed(charge(1401, now - 30 * _SECOND), now + 9 * _SECOND, attempts_made=1)
    legacy: Json = {"orderId": "ord_1501", "amount": 9900, "currency": "usd", "cardNumber": _TEST_CARD, "cvv": "123"}
    queue.waiting(Job("charge-legacy", legacy, {"timeout": 30_000}, now - 15 * _SECOND))
    queue.active(
        charge(1601, now - 4 * _SECOND),
        now - 3 * _SECOND,
        lock="6f0a8c1e-6f0c-4f5e-9d0b-0f1f3f0c2a11:0",
        lock_ms=27_000,
    )
    queue.metrics("completed", [3, 4, 2, 5, 3, 1, 4, 6, 2, 3], now - 20 * _SECOND)
    queue.metrics("failed", [0, 0, 1, 0, 0, 0, 1, 0, 1, 0], now - 20 * _SECOND)
    queue.stalled_check(now - 10 * _SECOND, 20_000)


def _refunds(queue: QueueWriter, now: int) -> None:
    for number, added in _spread(2001, 14, now, 9 * _HOUR):
        queue.waiting(
            Job("refund", {"refundId": f"ref_{number}", "orderId": f"ord_{number - 900}", "amount": 4500}, {}, added)
        )


def _mints(queue: QueueWriter, now: int) -> None:
    def mint(number: int, added: int, *, batch: bool = False) -> Job:
        data: Json = {
            "mintRequestId": f"mint_{number}",
            "recipient": f"0x{number:040x}",
            "metadataUri": f"ipfs://bafydemo{number}",
        }
        opts: dict[str, Json] = {
            "attempts": 8,
            "priority": 20 if batch else 2,
            **_RETRY,
            "backoff": {"type": "exponential", "delay": 5000},
        }
        return Job("mint-batch" if batch else "mint", data, opts, added, f"mint-{number}")

    for number, added in _spread(3001, 60, now, 5 * _HOUR):
        started = added + _rng.randint(50, 4000)
        queue.completed(
            mint(number, added),
            started,
            started + _rng.randint(9_000, 48_000),
            result={"tokenId": number},
            stalls=int(number == 3040),
        )
    for number, added in _spread(3101, 25, now, 2 * _HOUR):
        queue.waiting(mint(number, added, batch=number % 5 != 0))
    for number in (3201, 3202, 3203):
        queue.delayed(mint(number, now - 2 * _MINUTE), now + number % 7 * 10 * _SECOND + 5 * _SECOND, attempts_made=2)
    queue.failed(mint(3301, now - _HOUR), now - 50 * _MINUTE, now - 49 * _MINUTE, "nonce too low", attempts_made=8)
    queue.failed(
        mint(3302, now - _HOUR),
        now - 40 * _MINUTE,
        now - 40 * _MINUTE,
        "job stalled more than allowable limit",
        attempts_made=1,
        error="UnrecoverableError",
        stalls=2,
    )
    queue.active(
        mint(3401, now - 30 * _MINUTE), now - 25 * _MINUTE
    )  # its worker was killed: no lock, nobody brings it back
    queue.stalled_check(now - 5 * _SECOND, 25_000)


def _transfers(queue: QueueWriter, now: int) -> None:
    def transfer(number: int, added: int) -> Job:
        data: Json = {"transferId": f"tr_{number}", "ticketId": f"tkt_{number}", "toUserId": f"usr_{number % 90}"}
        return Job("transfer", data, {"attempts": 5, **_RETRY}, added, f"transfer-tr_{number}")

    for number, added in _spread(4001, 70, now, 8 * _HOUR):
        started = added + _rng.randint(10, 300)
        queue.completed(
            transfer(number, added), started, started + _rng.randint(80, 700), result={"status": "TRANSFERRED"}
        )
    for number, added in _spread(4101, 3, now, 5 * _SECOND):
        queue.waiting(transfer(number, added))
    queue.stalled_check(now - 12 * _SECOND, 18_000)


def _mails(queue: QueueWriter, now: int) -> None:
    opts: dict[str, Json] = {"attempts": 5, **_RETRY, "backoff": {"type": "exponential", "delay": 1000}}

    def mail(number: int, added: int, data: Json = None) -> Job:
        # the clock in the id: a retried request makes another job of the same mail
        return Job(
            "ticket-email",
            data or {"userId": f"usr_{number}", "template": "ticket"},
            opts,
            added,
            f"mail-usr_{number}-{added}",
        )

    for number, added in _spread(5001, 120, now, 10 * _HOUR):
        started = added + _rng.randint(10, 1500)
        queue.completed(
            mail(number, added), started, started + _rng.randint(120, 1900), result={"messageId": f"<{number}@mail>"}
        )
    for number, added in _spread(5201, 21, now, 40 * _MINUTE):
        queue.failed(mail(number, added), added + 30_000, added + 31_000, "429 Too Many Requests", attempts_made=5)
    for number, added in _spread(5301, 40, now, 3 * _MINUTE):
        queue.waiting(mail(number, added))
    for number, added in _spread(5501, 30, now, 2 * _MINUTE):
        letter: Json = {"userId": f"usr_{number}", "campaignId": "autumn", "template": "newsletter"}
        queue.waiting(Job("newsletter", letter, opts, added, f"newsletter-autumn-usr_{number}"))
    pdf = base64.b64encode(_rng.randbytes(120_000)).decode()
    queue.waiting(
        mail(
            5401,
            now - _MINUTE,
            {"userId": "usr_5401", "template": "ticket", "attachment": {"name": "ticket.pdf", "content": pdf}},
        )
    )
    queue.stalled_check(now - 2 * _SECOND, 28_000)


def _analytics(queue: QueueWriter, now: int) -> None:
    for number, added in _spread(6001, 1300, now, 3 * _DAY):
        queue.completed(
            Job("track", {"event": "page_view", "userId": f"usr_{number}"}, {"attempts": 3}, added),
            added + 40,
            added + 60,
        )
    for number, added in _spread(7501, 1100, now, 50 * _MINUTE):
        queue.waiting(Job("track", {"event": "seat_view", "userId": f"usr_{number}"}, {"attempts": 3}, added))
    queue.stalled_check(now - 25 * _SECOND, 5_000)


def _cleanup(queue: QueueWriter, now: int) -> None:
    next_night = (now // _DAY + 1) * _DAY + 3 * _HOUR
    queue.scheduler(
        "expired-reservations", Job("expire", {"olderThanHours": 24}, {}, now - 5 * _HOUR), "0 3 * * *", next_night
    )
    queue.stalled_check(now - 20 * _SECOND, 10_000)


def _dead_letters(queue: QueueWriter, now: int) -> None:
    for number in range(3):
        original: Json = {"orderId": f"ord_{900 + number}", "amount": 4500, "currency": "usd"}
        data: Json = {
            "queue": "payment-processing",
            "id": f"charge-ord_{900 + number}",
            "data": original,
            "reason": "Your card was declined.",
        }
        queue.waiting(
            Job("failed-job", data, {"removeOnComplete": False, "removeOnFail": False}, now - (number + 1) * 7 * _HOUR)
        )


def _spread(first: int, count: int, now: int, over: int) -> Iterable[tuple[int, int]]:
    """`count` numbers from `first`, each with the time at which its job was added, oldest first."""
    step = over // count
    return ((first + index, now - over + index * step) for index in range(count))
