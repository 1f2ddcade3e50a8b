"""Whether a log line can be traced to its job (item 45)."""

from __future__ import annotations

from auditor.code.model import CodeModel, Effect, Role, Worker
from auditor.model import Confidence, Verdict
from auditor.probes import probe

from ._handlers import cannot_follow, of
from ._subjects import Judged, bad, by_consumer, good, subject_of


@probe("log.job_id")
def job_id(code: CodeModel) -> Verdict:
    """The log calls in a handler's reach carry the job's id: as a field, in the text, by a child logger, or by job.log.

    What a listener of a connection logs (`client.on('error', …)`) is no line of a job's. One that does is enough: the others are found beside it. Where the handler logs nothing, its listeners may.
    """
    return by_consumer(_logged, "the logs of {n} workers carry the job's id")(code)


def _logged(_: CodeModel, worker: Worker) -> Judged:
    name = subject_of(worker).name
    logs = sorted((e for e in of(worker, Role.LOG) if "listener" not in e.within), key=lambda effect: len(effect.path))
    told = next((effect for effect in logs if effect.job_id), None)
    if told:
        return good(
            f"{told.call} at {told.span.label()}{_within(told)} carries the job's id",
            confidence=Confidence.LIKELY,
            related=(told.span,),
        )
    heard = [e for item in worker.listeners if item.live for e in item.effects if e.role is Role.LOG and e.job_id]
    if not logs and heard:
        return good(
            f"the handler logs nothing; its listener does, with the id ({heard[0].span.label()})",
            confidence=Confidence.LIKELY,
        )
    unseen = cannot_follow(worker, "whether it logs the job's id") if not logs else None
    if unseen:
        return unseen
    if not logs:
        return bad(
            f"{name}: neither its handler nor its listeners log anything by job id",
            "no log call",
            expected="a log line with job.id",
            confidence=Confidence.LIKELY,
        )
    also = "; only its listeners do" if heard else ""
    return bad(
        f"{name}: its handler logs ({logs[0].span.label()}{_within(logs[0])}) without the job's id{also}: no line can be "
        "traced to a job",
        f"{len(logs)} log calls, none with the job's id",
        expected="job.id in the line, or a child logger that holds it",
        related=tuple(effect.span for effect in logs[:4]),
        confidence=Confidence.LIKELY,
        fix="const log = logger.child({ jobId: job.id, queue: job.queueName })",
    )


def _within(effect: Effect) -> str:
    """In which helper of the handler's a log line stands; empty where it is the handler's own."""
    helper = f"its helper {effect.symbol}" if effect.symbol else "a helper of its"
    return f" in {helper}" if len(effect.path) > 1 else ""
