"""Items 1 to 7 as stored jobs show them: `LiveRedis -> LiveSide`, by the newest jobs of each job name."""

from __future__ import annotations

import re

from auditor.live.jobs_model import JobOptions, Retention, SampledJob, State
from auditor.live.model import Library, LiveQueue, LiveRedis
from auditor.model import Confidence, Status

from ._live_side import (
    Judgement,
    LiveSide,
    counted,
    dead_letter,
    duration,
    each_group,
    job_options,
    judge_options,
    key_of,
    of_queue,
    producer,
)

_HIGHEST_PRIORITY = 2_097_151
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_MOMENT = re.compile(r"(?<!\d)1\d{12}(?!\d)")
_NO_WORKER_RETENTION = ("bull", "bullmq 1", "bullmq 2")
"""Layouts of libraries whose workers have no removal options of their own."""
_MANY = 5000


def attempts(live: LiveRedis) -> LiveSide:
    """Item 1. FAIL: BullMQ's stored `attempts: 0`, a template without. UNVERIFIED: Bull's 1. Dead-letter queues exempt."""
    return judge_options(live, _attempts, "attempts of 1 or more", dead_letters=False).side()


def _attempts(queue: LiveQueue, job: SampledJob) -> Judgement | None:
    opts = _effective(queue, job)
    if opts is None:
        return None
    made = opts.attempts
    if job.scheduler and made in (None, 0) and queue.library is not Library.BULL:
        return Judgement(
            False,
            _said("attempts", made),
            f"the jobs of scheduler {job.scheduler} get no attempts: they are tried once",
        )
    if made is None:
        return None  # no version leaves it out of a producer's job: not of these libraries
    if made == 0:
        return Judgement(False, "attempts: 0", "no attempts are set: a job is tried once, and a passing error loses it")
    if made == 1 and queue.library is not Library.BULLMQ:
        return Judgement(None, "attempts: 1", "Bull stores 1 whether it was set or not: only code tells")
    return Judgement(True, f"attempts: {made:g}")


def backoff(live: LiveRedis) -> LiveSide:
    """Item 2. FAIL: attempts > 1 with no backoff or delay 0. UNVERIFIED: a custom type, which the worker's code defines."""
    return judge_options(live, _backoff, "a backoff with a delay", dead_letters=False).side()


def _backoff(queue: LiveQueue, job: SampledJob) -> Judgement | None:
    opts = _effective(queue, job)
    if opts is None or opts.attempts is None:
        return None
    tries, how = f"attempts: {opts.attempts:g}", opts.backoff
    if opts.attempts <= 1:
        return Judgement(True, f"{tries}: nothing to back off")
    if how is None:
        return Judgement(
            False, f"{tries}, no backoff", f"{opts.attempts:g} attempts without backoff: it retries at once"
        )
    delay = "none" if how.delay_ms is None else f"{how.delay_ms:g}"
    shown = f"{tries}, backoff: {how.type}, delay {delay}"
    if how.type not in ("fixed", "exponential"):
        return Judgement(None, shown, f"backoff type {how.type} is defined in the worker's code, if anywhere")
    if not how.delay_ms or how.delay_ms < 0:
        return Judgement(False, shown, f"{how.type} backoff without a delay: it retries at once")
    return Judgement(True, shown)


def timeout(live: LiveRedis) -> LiveSide:
    """Item 3. FAIL: BullMQ jobs that carry a `timeout`, which BullMQ ignores. Held: Bull jobs with one. Else only code tells."""
    gathered = judge_options(live, _timeout, "a bound that is enforced")
    judged = {finding.subject.queue for finding in gathered.findings} | {queue for queue, _ in gathered.held}
    for queue in live.queues:
        if queue.sampled and queue.name not in judged and not dead_letter(queue):
            shown = job_options(queue, queue.sampled[0].id, "no timeout", "a bound that is enforced")
            text = f"{queue.label}: no timeout is stored; whether its handler bounds itself, only code tells"
            gathered.say(Status.UNVERIFIED, text, of_queue(queue), [shown])
    return gathered.side()


def _timeout(queue: LiveQueue, job: SampledJob) -> Judgement | None:
    opts = _effective(queue, job)
    if opts is None or opts.timeout_ms is None:
        return None
    shown = f"timeout: {opts.timeout_ms:g}"
    if queue.library is Library.BULL:
        return Judgement(opts.timeout_ms > 0, shown, "a timeout of 0 bounds nothing")
    return Judgement(
        False,
        shown,
        f"timeout {opts.timeout_ms:g} is stored with the job, and no BullMQ reads it: nothing bounds the job",
    )


def remove_on_complete(live: LiveRedis) -> LiveSide:
    """Item 4. FAIL: `false`; or no option and a completed set that grows; or above the bound by more than 10 %."""
    gathered = judge_options(live, _remove_on_complete, "true, a count or an age", dead_letters=False)
    for queue in live.queues:
        bound = _bound(queue)
        kept = queue.counts.completed
        if bound is not None and kept > bound * 1.1 + 1:
            shown = key_of(queue, "ZCARD", "completed", f"{kept:,}", f"at most {bound:,} and 10 %")
            text = f"{queue.label}: {kept:,} completed jobs lie there, although its jobs keep {bound:,}"
            gathered.say(Status.FAIL, text, of_queue(queue), [shown], symbol="completed")
    return gathered.side()


def _remove_on_complete(queue: LiveQueue, job: SampledJob) -> Judgement | None:
    opts = _effective(queue, job)
    if opts is None:
        return None
    kept = opts.remove_on_complete
    if kept is not None:
        return Judgement(
            not kept.keep_all, f"removeOnComplete: {_kept(kept)}", "removeOnComplete keeps every completed job for ever"
        )
    held = f"{counted(queue.counts.completed, 'completed job')} kept{_since(queue)}"
    if queue.era in _NO_WORKER_RETENTION:
        return Judgement(False, "no removeOnComplete", f"no removeOnComplete: completed jobs stay for ever ({held})")
    if queue.counts.completed >= _MANY and queue.added is not None and queue.counts.total >= queue.added * 0.95:
        return Judgement(
            False, "no removeOnComplete", f"no removeOnComplete, and hardly a job was ever removed ({held})"
        )
    return Judgement(
        None, "no removeOnComplete", "no removeOnComplete in the job; a worker may have one, which only code tells"
    )


def remove_on_fail(live: LiveRedis, *, min_count: int = 100, min_age_s: int = 86_400) -> LiveSide:
    """Item 5. FAIL: `true`, 0, or any bound below the least; metrics that count failures which are no longer there."""

    def judge(queue: LiveQueue, job: SampledJob) -> Judgement | None:
        opts = _effective(queue, job)
        if opts is None:
            return None
        kept = opts.remove_on_fail
        if kept is None or kept.keep_all:
            return Judgement(True, f"removeOnFail: {'absent' if kept is None else 'false'}: every failure is kept")
        shown = f"removeOnFail: {_kept(kept)}"
        if kept.count == 0:
            return Judgement(False, shown, "removeOnFail removes a failed job at once: nobody can see why it failed")
        if kept.count is not None and kept.count < min_count:
            return Judgement(False, shown, f"removeOnFail keeps {kept.count} failures, fewer than {min_count}")
        if kept.age_s is not None and kept.age_s < min_age_s:
            return Judgement(
                False, shown, f"removeOnFail keeps failures for {kept.age_s:g} s, less than {min_age_s:,} s"
            )
        return Judgement(True, shown)

    gathered = judge_options(live, judge, f"{min_count} failures and {min_age_s:,} s, or no bound")
    for queue in live.queues:
        counted = queue.metrics_failed.count if queue.metrics_failed else 0
        if counted > 0 and not queue.counts.failed:
            shown = [
                key_of(queue, "HGET", "metrics:failed", f"count: {counted:,}", confidence=Confidence.POSSIBLE),
                key_of(queue, "ZCARD", "failed", "0", "the failures"),
            ]
            text = f"{queue.label}: {counted:,} failures were counted, and none is kept"
            gathered.say(Status.FAIL, text, of_queue(queue), shown, symbol="failed")
    return gathered.side()


def priority(live: LiveRedis) -> LiveSide:
    """Item 6. FAIL: a value outside 0 to 2,097,151. The order of kinds is for the caller: see `LiveQueue.jobs`."""
    return judge_options(live, _priority, f"0 to {_HIGHEST_PRIORITY:,}").side()


def _priority(_: LiveQueue, job: SampledJob) -> Judgement | None:
    value = job.opts.priority if job.opts is not None else None
    if value is None:
        return None
    return Judgement(
        0 <= value <= _HIGHEST_PRIORITY,
        f"priority: {value:g}",
        f"priority {value:g} is outside 0 to {_HIGHEST_PRIORITY:,}",
    )


def job_ids(live: LiveRedis) -> LiveSide:
    """Item 7. Notes only: which job names carry ids of their own; UNVERIFIED where ids look like time or uuid."""
    gathered = judge_options(live, lambda *_: None, "")
    for queue, group in each_group(live):
        if dead_letter(queue):
            continue
        own = [
            (job, given)
            for job in group.newest
            if job.opts is not None and not job.scheduler and (given := _given_id(job.opts))
        ]
        if not own:
            continue
        subject = producer(queue, group.name)
        odd = [job for job, given in own if _of_the_moment(job, given)]
        shown = [
            job_options(queue, (odd or [own[0][0]])[0].id, "jobId or deduplication id given", "made of business values")
        ]
        if odd:
            text = f"{subject.name}: its ids hold the time of adding or a uuid: another for each retry of the caller"
            gathered.say(Status.UNVERIFIED, text, subject, shown, symbol=group.name)
        else:
            gathered.say(
                Status.PASS, f"{subject.name}: its jobs have ids of their own", subject, shown, symbol=group.name
            )
    return gathered.side()


def _given_id(opts: JobOptions) -> str:
    return opts.deduplication_id or opts.job_id or ""


def _of_the_moment(job: SampledJob, given: str) -> bool:
    # a number within two seconds of the job's own time stamp is Date.now(), not an order's number
    near = any(abs(int(match) - (job.timestamp or 0)) < 2000 for match in _MOMENT.findall(given))
    return near or (bool(_UUID.search(given)) and not job.child)


def _effective(queue: LiveQueue, job: SampledJob) -> JobOptions | None:
    """The options that the producer gave: a scheduler's template where Redis keeps one, else the job's own."""
    if job.scheduler:
        for scheduler in queue.schedulers:
            if scheduler.key == job.scheduler and scheduler.template is not None:
                return scheduler.template
    return job.opts


def _bound(queue: LiveQueue) -> int | None:
    """The largest count that completed jobs carry, if all of the newest carry one: whoever ends last trims to it."""
    newest = sorted(
        (job for job in queue.sampled if job.state is State.COMPLETED), key=lambda job: -(job.finished_on or 0)
    )[:20]
    counts = [
        job.opts.remove_on_complete.count
        for job in newest
        if job.opts is not None and job.opts.remove_on_complete is not None
    ]
    known = [count for count in counts if count]
    return max(known) if known and len(known) == len(newest) else None


def _since(queue: LiveQueue) -> str:
    """`, the oldest for 40 d` of its completed jobs."""
    oldest = queue.oldest_completed_ms
    return f", the oldest for {duration(queue.read_ms - oldest)}" if oldest and queue.read_ms > oldest else ""


def _kept(kept: Retention) -> str:
    if kept.keep_all:
        return "false"
    if kept.count == 0 and kept.age_s is None:
        return "true"
    parts = [
        f"count {kept.count}" if kept.count is not None else "",
        f"age {kept.age_s:g} s" if kept.age_s is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _said(name: str, value: float | None) -> str:
    return f"no {name}" if value is None else f"{name}: {value:g}"
