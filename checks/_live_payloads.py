"""Items 8, 9, 10 and 85 as sampled payloads show them: sizes, key paths and counts, never a value."""

from __future__ import annotations

from collections import defaultdict

from auditor.live.jobs_model import Hit
from auditor.live.model import LiveQueue, LiveRedis
from auditor.model import Confidence, Evidence, Status

from ._live_side import Gathered, LiveSide, each_group, of_queue, producer


def serializable(live: LiveRedis) -> LiveSide:
    """Item 8. FAIL: sampled data that is no JSON."""
    gathered = Gathered()
    for queue, group in each_group(live):
        broken = [job for job in group.jobs if job.data_parses is False]
        subject = producer(queue, group.name)
        if broken:
            shown = _field(queue, broken[0].id, "data", f"no JSON, {broken[0].data_bytes} bytes", "JSON")
            text = f"{subject.name}: the data of {len(broken)} of {len(group.jobs)} sampled jobs is no JSON"
            gathered.say(Status.FAIL, text, subject, [shown], symbol=group.name)
        elif any(job.data_parses for job in group.jobs):
            parsed = sum(1 for job in group.jobs if job.data_parses)
            gathered.hold(
                queue, group.name, _field(queue, group.jobs[0].id, "data", f"JSON, as is that of all {parsed} sampled")
            )
    return gathered.side()


def sensitive(live: LiveRedis) -> LiveSide:
    """Item 9. FAIL: detector hits in sampled payloads: key path, kind, count; never a value."""
    return _detected(live, pci=False)


def pci(live: LiveRedis) -> LiveSide:
    """Item 85. FAIL: card numbers, security codes, track data in sampled jobs."""
    return _detected(live, pci=True)


def size(live: LiveRedis, *, max_bytes: int = 102_400) -> LiveSide:
    """Item 10. FAIL: sampled data of `max_bytes` or more. Evidence: the largest of each queue and how many were sampled."""
    gathered = Gathered()
    for queue, group in each_group(live):
        largest = max(group.jobs, key=lambda job: job.data_bytes)
        key = queue.key(largest.id)
        observed = f"{largest.data_bytes:,} bytes, the largest of {len(group.jobs)} sampled ({queue.sampling.label()} of the queue)"
        shown = Evidence(f"HSTRLEN {key} data", observed, f"below {max_bytes:,}", queue.place(largest.id))
        if largest.data_bytes >= max_bytes:
            subject = producer(queue, group.name)
            over = sum(1 for job in group.jobs if job.data_bytes >= max_bytes)
            text = f"{subject.name}: {largest.data_bytes:,} bytes of data in a job ({over} of {len(group.jobs)} sampled are too large)"
            gathered.say(Status.FAIL, text, subject, [shown], symbol=group.name)
        else:
            gathered.hold(queue, group.name, shown)
    return gathered.side()


def _detected(live: LiveRedis, *, pci: bool) -> LiveSide:
    gathered = Gathered()
    for queue in live.queues:
        hits: dict[str, list[Hit]] = defaultdict(list)
        for hit in queue.hits:
            if hit.kind.pci or not pci:
                hits[hit.job].append(hit)
        for group in queue.jobs:
            for hit in hits[group.name]:
                _hit(gathered, queue, hit, len(group.jobs))
            read = sum(1 for job in group.jobs if job.data_parses is not None)
            if read and not hits[group.name]:
                looked = f"nothing found in {read} of {len(group.jobs)} sampled jobs"
                gathered.hold(
                    queue, group.name, _field(queue, group.jobs[0].id, "data", looked, confidence=Confidence.LIKELY)
                )
    return gathered.side()


def _hit(gathered: Gathered, queue: LiveQueue, hit: Hit, sampled: int) -> None:
    subject = producer(queue, hit.job) if hit.field in ("data", "id", "name") else of_queue(queue)
    where = f"{hit.field}{'' if hit.path[:1] in ('', '[') else '.'}{hit.path}"
    observed, expected = f"{where}: {hit.kind}, {hit.shape}", "nothing of the kind, or encrypted"
    shown = _field(queue, hit.example, hit.field, observed, expected)
    if hit.field == "id":  # what it is shown by is masked: no key of Redis
        where = "the job id"
        shown = Evidence(f"SCAN 0 MATCH {queue.key('*')}", observed, expected, queue.place(hit.example))
    text = f"{queue.label}/{hit.job}: {where} holds a {hit.kind.label} in {hit.jobs} of {sampled} sampled jobs"
    gathered.say(Status.FAIL, text, subject, [shown], symbol=f"{hit.job} {where} {hit.kind}")


def _field(
    queue: LiveQueue,
    job: str,
    name: str,
    observed: str,
    expected: str = "",
    *,
    confidence: Confidence = Confidence.CERTAIN,
) -> Evidence:
    return Evidence(f"HGET {queue.key(job)} {name}", observed, expected, queue.place(job), confidence=confidence)
