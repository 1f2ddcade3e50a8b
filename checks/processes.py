"""How a process that runs workers ends: signals and unhandled rejections (items 22, 23)."""

from __future__ import annotations

from auditor.code.model import CodeModel, Process, Worker
from auditor.model import CodeSpan, Confidence, Evidence, Finding, Status, Subject, SubjectType, Verdict
from auditor.probes import conclude, not_applicable, probe, unverified

from ._options import labels
from ._subjects import NO_QUEUES, Judged, bad, decide, good, queues_of
from ._versions import is_bull

SIGNALS = ("SIGTERM", "SIGINT")


@probe("process.graceful_shutdown")
def graceful_shutdown(code: CodeModel) -> Verdict:
    """SIGTERM and SIGINT both lead to an awaited `close()` of every worker.

    Counted: direct handlers, registry loops, Fastify onClose with close-with-grace, terminus, Nest's
    enableShutdownHooks (without arguments both signals, with one only that one). `close(true)` does not wait for
    running jobs, and a second listener that exits first defeats the best of handlers.
    """
    nothing = "no worker consumes a queue, so no process has one to close"
    held = "SIGTERM and SIGINT close all {n} workers"
    return decide(
        code,
        code.workers,
        lambda w: _closed(code, w),
        held=held,
        nothing=nothing,
        subject=lambda w: _process_subject(code, w),
    )


@probe("process.unhandled_rejection")
def unhandled_rejection(code: CodeModel) -> Verdict:
    """Every process that starts workers handles `unhandledRejection`, by itself or through an SDK such as Sentry's (likely)."""
    if code.empty or not code.workers:
        return not_applicable(NO_QUEUES if code.empty else "no worker consumes a queue, so no process runs one")
    running = [process for process in code.processes if process.starts_workers]
    if not running:
        return unverified(
            "no start script, Dockerfile or PM2 file names the entry point that starts the workers; give --infra PATH"
        )
    return conclude(
        [finding for process in running for finding in _rejections(process)],
        held=f"all {len(running)} processes that start workers handle unhandled rejections",
        evidence=[evidence for process in running for evidence in _handled(process)],
    )


def _closed(code: CodeModel, worker: Worker) -> Judged:
    name = f"worker of {queues_of(worker)}"
    closed = tuple(signal for signal in SIGNALS if signal in {heard.upper() for heard in worker.closed_on})
    process = _starter(code, worker)
    spans = tuple(span for heard in (process.signals.values() if process else ()) for span in heard)[:4]
    related = (*((process.entry,) if process else ()), *spans)
    fix = "close it on both signals: for (const s of ['SIGTERM', 'SIGINT']) process.on(s, async () => { await worker.close(); process.exit(0); })"
    if is_bull(worker):
        fix = fix.replace("worker.close", "queue.close")
    if not closed and worker.exits_first:
        message = f"{name} is closed in vain: the process exits before its close() is awaited ({worker.exits_first.label()}), and its running jobs are cut off"
        return bad(
            message,
            "process.exit comes before close() is done",
            expected="await worker.close(), then process.exit",
            related=(worker.exits_first, *related),
            confidence=Confidence.LIKELY,
            fix=fix,
        )
    if not closed:
        heard = f"; the signal handlers at {labels(spans)} do not reach it" if spans else ""
        message = f"{name} is closed on no signal: every deploy cuts its running jobs off{heard}"
        return bad(
            message,
            "closed on: nothing",
            expected="SIGTERM and SIGINT",
            related=related,
            confidence=Confidence.LIKELY,
            fix=fix,
        )
    if worker.forced_close:
        message = f"{name} is closed by close(true), which does not wait for running jobs"
        return bad(message, f"closed on: {', '.join(closed)}, forced", expected="close()", related=related, fix=fix)
    if process and process.exits_first:
        message = f"{name}: another listener on the same signal exits before its close() is awaited ({process.exits_first.label()})"
        return bad(
            message,
            "process.exit comes first",
            related=(process.exits_first, *related),
            confidence=Confidence.LIKELY,
            fix=fix,
        )
    if len(closed) < len(SIGNALS):
        missing = next(signal for signal in SIGNALS if signal not in closed)
        message = f"{name} is closed on {closed[0]} only; {missing} cuts its running jobs off"
        return bad(
            message,
            f"closed on: {closed[0]}",
            expected="SIGTERM and SIGINT",
            related=related,
            confidence=Confidence.LIKELY,
            fix=fix,
        )
    return good(f"{name}: closed on SIGTERM and SIGINT", confidence=Confidence.LIKELY, related=related)


def _process_subject(code: CodeModel, worker: Worker) -> Subject:
    process = _starter(code, worker)
    name = process.entry.path if process else f"process of the {queues_of(worker)} worker"
    return Subject(SubjectType.PROCESS, name, queues_of(worker, ""), worker.service)


def _starter(code: CodeModel, worker: Worker) -> Process | None:
    """The process that starts the worker; where that could not be told, the only one of its service that starts any."""
    running = [process for process in code.processes if process.starts_workers]
    exact = [process for process in running if worker.span in process.workers]
    same = [process for process in running if process.service == worker.service and not process.workers]
    return exact[0] if exact else same[0] if len(same) == 1 else None


def _rejections(process: Process) -> list[Finding]:
    if process.unhandled_rejection or process.rejections_by:
        return []
    told = "guessed entry point" if not process.known else "entry point"
    shown = Evidence(
        process.entry.label(),
        f"{told} starts workers; no unhandledRejection listener in its reach",
        "a listener",
        process.entry,
    )
    return [
        Finding(
            f"{process.entry.path} starts workers and handles no unhandled rejection: one forgotten await ends the process with its running jobs",
            Subject(SubjectType.PROCESS, process.entry.path, service=process.service),
            process.entry,
            evidence=(shown,),
            confidence=Confidence.CERTAIN if process.known else Confidence.LIKELY,
            status=Status.FAIL,
            fix="process.on('unhandledRejection', (reason) => { log.error({ reason }); shutDown(1); })",
        )
    ]


def _handled(process: Process) -> list[Evidence]:
    spans: tuple[CodeSpan, ...] = process.unhandled_rejection
    if spans:
        return [Evidence(spans[0].label(), "unhandledRejection handled", place=spans[0])]
    if process.rejections_by:
        return [
            Evidence(
                process.entry.label(),
                f"{process.rejections_by} installs a handler",
                place=process.entry,
                confidence=Confidence.LIKELY,
            )
        ]
    return []
