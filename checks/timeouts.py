"""Whether a job can hang for ever (item 3)."""

from __future__ import annotations

from auditor.code.model import CodeModel, OptionState, Producer, Worker
from auditor.live.model import LiveRedis
from auditor.model import Confidence, Finding, Verdict
from auditor.probes import conclude, not_applicable, probe

from . import _live
from ._handlers import cannot_follow, fills, in_process, path_of
from ._options import choices, described, number, option, places
from ._roles import REMOTE
from ._sources import join
from ._subjects import NO_QUEUES, Judged, bad, decide, finding, good, subject_of, unsure
from ._versions import is_bull, library_of
from .resources import unbounded


@probe("producer.timeout")
def timeout(code: CodeModel | None, live: LiveRedis | None) -> Verdict:
    """No job can hang for ever.

    Bull: `timeout` in the job's options. BullMQ has none (given one, it ignores it: that fails): the handler bounds its
    own time, or each of its remote calls has a bound. A handler without remote calls and endless loops passes, likely.
    """
    return join(code, live, _timeouts, _live.timeout)


def _timeouts(code: CodeModel) -> Verdict:
    if code.empty:
        return not_applicable(NO_QUEUES)
    ignored = [found for job in code.producers if job.live and (found := _ignored(job))]
    handlers = decide(
        code,
        code.consumers,
        lambda worker: _bounded(code, worker),
        held="no handler of {n} workers can hang for ever",
        nothing="no worker consumes a queue, so no handler can hang",
    )
    if not ignored:
        return handlers
    return conclude([*ignored, *handlers.findings], held=handlers.reason, evidence=handlers.evidence)


def _ignored(job: Producer) -> Finding | None:
    given = option(job.options, "timeout")
    if is_bull(job) or given.state is OptionState.ABSENT:
        return None
    if given.state is OptionState.UNKNOWN and given.origin is None:  # nobody is seen to write it
        return None
    name, told = subject_of(job).name, described("timeout", given)
    message = f"{name} sets timeout, which {library_of(job)} ignores: the job is never interrupted"
    fix = "take it out and bound the work in the handler: AbortSignal.timeout(ms), or the processor's third argument"
    return finding(
        job, bad(message, told, expected="a bound in the handler", related=places(given), fix=fix), subject_of(job)
    )


def _bounded(code: CodeModel, worker: Worker) -> Judged:
    jobs = fills(code, worker)
    if is_bull(worker) and jobs:
        bare = [job for job in jobs if not _has_timeout(job)]
        if not bare:
            first = option(jobs[0].options, "timeout")
            return good(described("timeout", first), confidence=Confidence.LIKELY, related=places(first))
        return _own_bound(worker, bare)
    return _own_bound(worker, [])


def _has_timeout(job: Producer) -> bool:
    values = choices(option(job.options, "timeout"))
    return bool(values) and all((number(value) or 0) > 0 for value in values)


def _own_bound(worker: Worker, bare: list[Producer]) -> Judged:
    """The handler's own bound; `bare` are Bull producers that give their jobs no timeout."""
    name = subject_of(worker).name
    if worker.bound is not None and worker.bound.state is not OptionState.ABSENT:
        return good(
            described("the handler's own bound", worker.bound),
            confidence=Confidence.LIKELY,
            related=places(worker.bound),
        )
    remote = [effect for effect in worker.effects if effect.role in REMOTE]
    endless = [effect for effect in remote if unbounded(effect) and effect.awaited]
    if endless:
        first = endless[0]
        more = f" (and {len(endless) - 1} more calls)" if len(endless) > 1 else ""
        given = "its jobs have no timeout and " if bare else ""
        return bad(
            f"{name}: {given}{path_of(worker, first)} has no time bound{more}: one silent server holds the slot for ever",
            f"{first.call}: no timeout",
            expected="a bound on the job, the client or the call",
            related=(
                first.span,
                *first.calls,
                *((first.client,) if first.client else ()),
                *(effect.span for effect in endless[1:5]),
                *(job.span for job in bare[:5]),
            ),
            confidence=Confidence.LIKELY,
        )
    open_calls = [effect for effect in remote if effect.timeout is None or effect.timeout.state is OptionState.UNKNOWN]
    if open_calls:
        text = f"{name}: whether {open_calls[0].call} ({open_calls[0].span.label()}) is bounded could not be resolved"
        return unsure(text, related=(open_calls[0].span,))
    unseen = cannot_follow(worker, "whether it can hang")
    if unseen:
        return unseen
    if worker.loops and in_process(worker) and remote:
        return unsure(
            f"{name}: its handler loops without a fixed end around {remote[0].call}", related=(remote[0].span,)
        )
    observed = "every remote call in its reach is bounded" if remote else "no remote call in its reach"
    return good(f"{name}: {observed}", confidence=Confidence.LIKELY)
