"""What a live Redis says on items that code decides too: pure judges, `LiveRedis -> LiveSide`.

A probe of code merges a side into its verdict: `findings` of status FAIL win over anything that code says (options that
differ: drift), UNVERIFIED ones count where code says nothing of that queue and job, PASS ones are notes. `evidence` backs a
pass. Subjects: `Subject(PRODUCER, "<queue>/<job name>", queue=<queue name>)` with the job name as `symbol`, or
`Subject(QUEUE, "<queue>", queue=<queue name>)`; the queue name has no prefix, so that it joins with code's.

Rules of the options: the 20 newest sampled jobs of a job name decide; older ones that differ are a note. Jobs that a
scheduler made are judged by its template where Redis keeps one.
"""

from __future__ import annotations

from ._live_figures import active, dead_letters, depth, durations, failed, redis_memory
from ._live_hints import concurrency, dead_letter_queues, worker_hosts
from ._live_options import attempts, backoff, job_ids, priority, remove_on_complete, remove_on_fail, timeout
from ._live_payloads import pci, sensitive, serializable, size
from ._live_running import lock_duration, max_stalled_count, stalled_events, stalled_interval, worker_count
from ._live_side import LiveSide, dead_letter

__all__ = [
    "LiveSide",
    "active",
    "attempts",
    "backoff",
    "concurrency",
    "dead_letter",
    "dead_letter_queues",
    "dead_letters",
    "depth",
    "durations",
    "failed",
    "job_ids",
    "lock_duration",
    "max_stalled_count",
    "pci",
    "priority",
    "redis_memory",
    "remove_on_complete",
    "remove_on_fail",
    "sensitive",
    "serializable",
    "size",
    "stalled_events",
    "stalled_interval",
    "timeout",
    "worker_count",
    "worker_hosts",
]
