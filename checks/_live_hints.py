"""Items 16, 21 and 96 as a running system hints at them: what is seen stands beside what code says, and rarely decides."""

from __future__ import annotations

import math
from collections import Counter

from auditor.live.jobs_model import State
from auditor.live.model import LiveQueue, LiveRedis, QueueWorkers
from auditor.model import Confidence, Evidence, Status

from ._live_side import Gathered, LiveSide, count_of, counted, dead_letter, duration, key_of, of_queue

_MOST_AT_ONCE = 100
_SHOWN = 5


def concurrency(live: LiveRedis) -> LiveSide:
    """Item 16. Evidence: jobs that one worker holds at once, a lower bound. FAIL: more than 100 of them."""
    gathered = Gathered()
    for queue in live.queues:
        if queue.global_concurrency is not None:
            limit = f"concurrency {queue.global_concurrency}: the limit of all its workers together"
            gathered.evidence.append(key_of(queue, "HGET", "meta concurrency", limit))
        least, shown = _at_once(queue)
        if least > _MOST_AT_ONCE:
            text = f"{queue.label}: a worker holds {least:,} jobs at once, more than one process can serve well"
            gathered.say(Status.FAIL, text, of_queue(queue), shown, symbol="concurrency")
        elif least > 1:
            gathered.evidence += shown
    return gathered.side()


def _at_once(queue: LiveQueue) -> tuple[int, list[Evidence]]:
    """The least that the concurrency of one of its workers must be, and what shows it; 0 where nothing does."""
    held = queue.held_at_once
    shown = key_of(
        queue,
        "GET",
        "<active id>:lock",
        f"{held} jobs locked by one worker at once: its concurrency is {held} or more",
        confidence=Confidence.LIKELY,
    )
    least = (held, [shown])
    workers = queue.workers
    if isinstance(workers, QueueWorkers) and workers.certain and workers.count:
        held_by_none = len(queue.stalls.orphans) + queue.left_behind
        share = math.ceil((queue.counts.active - held_by_none) / workers.count)
        if share > held:
            seen = f"{counted(queue.counts.active, 'active job')} on {counted(workers.count, 'worker')}: {share} or more on one of them"
            least = (share, [key_of(queue, "LLEN", "active", seen, "100 at most", confidence=Confidence.LIKELY)])
    return least


def dead_letter_queues(live: LiveRedis) -> LiveSide:
    """Item 21. Evidence: queues named like dead-letter queues with what lies there; else what lies in failed sets."""
    gathered = Gathered()
    named = [queue for queue in live.queues if dead_letter(queue)]
    for queue in named:
        lies = f"{counted(queue.counts.total, 'job')} in a queue named like a dead-letter queue"
        gathered.evidence.append(count_of(queue, tuple(State), lies, confidence=Confidence.POSSIBLE))
    if named:
        return gathered.side()
    for queue in sorted(live.queues, key=lambda queue: -queue.counts.failed)[:_SHOWN]:
        if queue.counts.failed:
            old = queue.read_ms - queue.oldest_failed_ms if queue.oldest_failed_ms and queue.read_ms else 0
            since = f", the oldest for {duration(old)}" if old > 0 else ""
            lies = f"{counted(queue.counts.failed, 'failed job')}{since}; no queue is named like a dead-letter queue"
            gathered.evidence.append(key_of(queue, "ZCARD", "failed", lies))
    return gathered.side()


def worker_hosts(live: LiveRedis) -> LiveSide:
    """Item 96. Evidence: the addresses that workers connect from. NAT, proxies and sidecars hide hosts behind one."""
    gathered = Gathered()
    for server in live.servers:
        hosts: Counter[str] = Counter()
        for queue in live.queues:
            if queue.endpoint == server.endpoint and isinstance(queue.workers, QueueWorkers):
                hosts.update(queue.workers.hosts)
        if hosts:
            listed = ", ".join(f"{host} ({counted(queues, 'queue')})" for host, queues in hosts.most_common(_SHOWN))
            more = f" and {len(hosts) - _SHOWN} more" if len(hosts) > _SHOWN else ""
            seen = f"workers connect from {counted(len(hosts), 'host')}: {listed}{more}"
            gathered.evidence.append(
                Evidence("CLIENT LIST", seen, place=server.place("CLIENT LIST"), confidence=Confidence.POSSIBLE)
            )
    return gathered.side()
