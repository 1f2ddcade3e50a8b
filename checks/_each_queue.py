"""Every live queue judged one by one."""

from __future__ import annotations

from collections.abc import Callable

from auditor.live.model import LiveQueue, LiveRedis
from auditor.model import Verdict
from auditor.probes import conclude, not_applicable

from ._live_side import Gathered, counted, dead_letter

_NO_QUEUES = "no queue was found in the live Redis"


def each_queue(live: LiveRedis, judge: Callable[[LiveQueue, Gathered], None], held: str) -> Verdict:
    """The verdict over every queue but dead-letter queues; `held` tells what holds of all of them."""
    queues = [queue for queue in live.queues if not dead_letter(queue)]
    if not queues:
        return not_applicable(_NO_QUEUES)
    found = Gathered()
    for queue in queues:
        judge(queue, found)
    side = found.side()
    if not side.findings and not side.evidence:
        return not_applicable(f"none of {len(queues)} queues has what it is about")
    return conclude(
        side.findings,
        held=f"{held} ({counted(len(queues), 'queue')})",
        evidence=side.evidence,
    )
