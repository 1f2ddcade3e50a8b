"""What is measured: published metrics and stalled events (items 31 to 38)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from auditor.code.model import CodeModel, Quantity, Worker
from auditor.infra.model import InfraModel
from auditor.live.model import LiveRedis
from auditor.model import Confidence, Verdict
from auditor.probes import not_applicable, probe
from auditor.prom.model import Observability

from . import _live
from ._live import LiveSide
from ._published import no_dead_letters, published
from ._sources import corroborated, join
from ._subjects import NO_QUEUES, Judged, bad, by_worker, good, subject_of, unsure
from ._versions import is_bull


@dataclass(frozen=True, slots=True)
class Published:
    """Which quantity must be published."""

    quantity: str


CORROBORATES: dict[Quantity, Callable[[LiveRedis], LiveSide]] = {
    Quantity.DEPTH: _live.depth,
    Quantity.ACTIVE: _live.active,
    Quantity.FAILED: _live.failed,
    Quantity.DURATION: _live.durations,
    Quantity.DEAD_LETTER: _live.dead_letters,
    Quantity.WORKERS: _live.worker_count,
    Quantity.REDIS_MEMORY: _live.redis_memory,
}


@probe("metric.published")
def metric(
    code: CodeModel | None,
    live: LiveRedis | None,
    prom: Observability | None,
    infra: InfraModel | None,
    want: Published,
) -> Verdict:
    """Code or an exporter publishes the quantity, living code feeds it, and an endpoint serves it.

    Where a Prometheus is given, a series of it exists there. Published by dead code, never set, or in a registry that no
    endpoint serves: fails. Nothing of the kind anywhere: unverified, it may live elsewhere. Redis only corroborates: it
    shows what a monitor would show now, by queue.
    """
    quantity = Quantity(want.quantity)
    if code is not None and code.empty:
        return not_applicable(NO_QUEUES)
    if code is not None and quantity is Quantity.DEAD_LETTER and no_dead_letters(code):
        return not_applicable("there is no dead-letter queue, and item 21 says so")
    seen = published(code, prom, infra, quantity)
    beside = CORROBORATES.get(quantity)
    return seen if live is None or beside is None else corroborated(seen, beside(live))


@probe("metric.stalled_events")
def stalled_events(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """Each worker's stalls are heard: a living `stalled` listener on the worker, its Bull queue or QueueEvents."""
    return join(
        code, live, by_worker(_stalls, "stalled jobs of all {n} workers are heard"), _live.stalled_events, decides=False
    )


def _stalls(code: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    heard = [item for item in worker.listeners if item.event == "stalled"]
    living = next((item for item in heard if item.live), None)
    if living:
        does = f", which calls {living.effects[0].call}" if living.effects else ""
        sure = Confidence.CERTAIN if living.effects else Confidence.LIKELY
        return good(f"{name}: stalled listener at {living.span.label()}{does}", confidence=sure, related=(living.span,))
    counted = next(
        (m for m in code.metrics if m.quantity is Quantity.STALLED and m.fed_live and m.service == worker.service), None
    )
    if counted:
        told = f"{counted.name} counts stalls ({counted.fed_by[0].label()}), of which queues could not be told"
        return unsure(f"{name}: {told}", told, related=counted.fed_by)
    receiver = "queue.on('stalled', …)" if is_bull(worker) else "queueEvents.on('stalled', …)"
    dead = f"; one is written but never reached ({heard[0].span.label()})" if heard else ""
    return bad(
        f"{name}: nobody listens to stalled{dead}: a job that runs twice is never noticed",
        "no living stalled listener",
        expected="a listener that counts or logs",
        related=tuple(item.span for item in heard),
        fix=f"{receiver} that counts and logs the job's id",
    )
