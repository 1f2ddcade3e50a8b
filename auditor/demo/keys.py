"""Writes jobs in the keys and fields of BullMQ 5.81 (read off real servers), without running BullMQ.

Times are ms since the epoch. One `QueueWriter` per queue; everything goes into a pipeline that the caller executes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from redis.client import Pipeline
    from redis.typing import EncodableT, FieldT

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

PREFIX = "bull"
VERSION = "bullmq:5.81.5"
_DUE_SHIFT = 4096  # scores of `delayed` are due time x 4096 + a counter
_PRIORITY_SHIFT = 2**32  # scores of `prioritized` are priority x 2^32 + a counter


@dataclass(frozen=True, slots=True)
class Job:
    """A job as a producer gives it; `id` empty: the queue counts."""

    name: str
    data: Json
    opts: Mapping[str, Json]
    added: int
    id: str = ""


class QueueWriter:
    """One queue: gives ids, writes job hashes, state sets and the event stream."""

    def __init__(self, pipeline: Pipeline, name: str) -> None:
        self._pipeline = pipeline
        self._base = f"{PREFIX}:{name}"
        self._count = 0
        self._priorities = 0
        self._written: set[str] = set()
        pipeline.hset(self._key("meta"), mapping={"opts.maxLenEvents": "10000", "version": VERSION})

    def waiting(self, job: Job) -> str:
        """A job that waits its turn: in `prioritized` where it has a priority, else in `wait`."""
        job_id = self._add(job)
        priority = job.opts.get("priority")
        if isinstance(priority, int) and priority > 0:
            self._priorities += 1
            self._pipeline.zadd(self._key("prioritized"), {job_id: priority * _PRIORITY_SHIFT + self._priorities})
            self._pipeline.set(self._key("pc"), self._priorities)
        else:
            self._pipeline.lpush(self._key("wait"), job_id)
        self._pipeline.zadd(self._key("marker"), {"0": 0})
        self._event(event="waiting", jobId=job_id)
        return job_id

    def delayed(self, job: Job, due: int, *, attempts_made: int = 0) -> str:
        """A job that waits for its time: added with a delay, or after a failed attempt."""
        job_id = self._add(job)
        self._pipeline.zadd(self._key("delayed"), {job_id: due * _DUE_SHIFT})
        self._pipeline.zadd(self._key("marker"), {"1": due})
        if attempts_made:
            self._set(job_id, {"atm": attempts_made, "ats": attempts_made, "delay": due - job.added})
        self._event(event="delayed", jobId=job_id, delay=due)
        return job_id

    def active(self, job: Job, started: int, *, lock: str = "", lock_ms: int = 0) -> str:
        """A job in a worker's hands; without a lock it is the orphan of a worker that died."""
        job_id = self._add(job)
        self._pipeline.lpush(self._key("active"), job_id)
        self._set(job_id, {"processedOn": started, "ats": 1})
        if lock:
            self._pipeline.set(self._key(f"{job_id}:lock"), lock, px=lock_ms)
        self._event(event="active", jobId=job_id, prev="waiting")
        return job_id

    def completed(self, job: Job, started: int, finished: int, *, result: Json = None, stalls: int = 0) -> str:
        """A finished job; `stalls` above 0 means that it was taken up again while its first run went on."""
        job_id = self._add(job)
        self._set(
            job_id,
            {
                "processedOn": started,
                "finishedOn": finished,
                "atm": 1,
                "ats": 1 + stalls,
                "returnvalue": json.dumps(result),
            },
        )
        if stalls:
            self._set(job_id, {"stc": stalls})
            self._event(event="stalled", jobId=job_id)
        self._pipeline.zadd(self._key("completed"), {job_id: finished})
        self._event(event="completed", jobId=job_id, returnvalue=json.dumps(result), prev="active")
        return job_id

    def failed(
        self,
        job: Job,
        started: int,
        finished: int,
        reason: str,
        *,
        attempts_made: int,
        error: str = "Error",
        stalls: int = 0,
    ) -> str:
        """A job whose attempts are used up."""
        job_id = self._add(job)
        trace = f"{error}: {reason}\n    at processor (/app/dist/workers.js:42:11)\n    at async Worker.processJob (/app/node_modules/bullmq/dist/cjs/classes/worker.js:619:21)"
        fields: dict[str, str | int] = {
            "processedOn": started,
            "finishedOn": finished,
            "atm": attempts_made,
            "ats": attempts_made + stalls,
        }
        self._set(job_id, {**fields, "failedReason": reason, "stacktrace": json.dumps([trace])})
        if stalls:
            self._set(job_id, {"stc": stalls})
        self._pipeline.zadd(self._key("failed"), {job_id: finished})
        self._event(event="failed", jobId=job_id, failedReason=reason, prev="active")
        return job_id

    def scheduler(self, scheduler_id: str, job: Job, pattern: str, due: int) -> None:
        """A job scheduler with its next job, as `upsertJobScheduler` leaves them; `job.opts` is the template's."""
        key = self._key(f"repeat:{scheduler_id}")
        template: dict[FieldT, EncodableT] = {
            "name": job.name,
            "pattern": pattern,
            "tz": "UTC",
            "ic": "1",
            "offset": "0",
            "data": json.dumps(job.data),
        }
        self._pipeline.hset(key, mapping=template | ({"opts": json.dumps(job.opts)} if job.opts else {}))
        self._pipeline.zadd(self._key("repeat"), {scheduler_id: due})
        job_id = f"repeat:{scheduler_id}:{due}"
        repeat: Json = {"pattern": pattern, "tz": "UTC", "count": 1}
        own: dict[str, Json] = {
            "jobId": job_id,
            "repeatJobKey": scheduler_id,
            "prevMillis": due,
            "timestamp": job.added,
            "delay": due - job.added,
            "repeat": repeat,
        }
        self.delayed(Job(job.name, job.data, {**job.opts, **own}, job.added, job_id), due)
        self._set(job_id, {"rjk": scheduler_id, "delay": due - job.added})

    def metrics(self, kind: str, per_minute: Sequence[int], now: int) -> None:
        """What a worker with `metrics` keeps: `kind` is completed or failed, counts newest first."""
        self._pipeline.hset(
            self._key(f"metrics:{kind}"),
            mapping={"count": sum(per_minute), "prevTS": now, "prevCount": sum(per_minute)},
        )
        self._pipeline.rpush(self._key(f"metrics:{kind}:data"), *per_minute)

    def stalled_check(self, checked: int, interval_ms: int) -> None:
        """The mark of a worker's periodic check for stalled jobs."""
        self._pipeline.set(self._key("stalled-check"), checked, px=interval_ms)

    def _add(self, job: Job) -> str:
        self._count += 1
        self._pipeline.incr(self._key("id"))
        job_id = job.id or str(self._count)
        if job_id in self._written:
            raise ValueError(f"{self._base}: job id {job_id} is given twice")
        self._written.add(job_id)
        given = {"jobId": job.id} if job.id else {}
        # an unset attempts is stored as 0, but a scheduler's jobs carry only what their template says
        opts = {**({} if "repeatJobKey" in job.opts else {"attempts": 0}), **given, **job.opts}
        priority = opts.get("priority", 0)
        self._set(
            job_id,
            {
                "name": job.name,
                "data": json.dumps(job.data),
                "opts": json.dumps(opts),
                "timestamp": job.added,
                "delay": 0,
                "priority": str(priority),
            },
        )
        self._event(event="added", jobId=job_id, name=job.name)
        return job_id

    def _set(self, job_id: str, fields: Mapping[str, str | int]) -> None:
        self._pipeline.hset(self._key(job_id), mapping=fields_of(fields))

    def _event(self, **fields: str | int) -> None:
        self._pipeline.xadd(self._key("events"), fields_of(fields), maxlen=10_000, approximate=True)

    def _key(self, name: str) -> str:
        return f"{self._base}:{name}"


def fields_of(values: Mapping[str, str | int]) -> dict[FieldT, EncodableT]:
    """The same mapping in the types that redis-py asks for."""
    return dict(values.items())
