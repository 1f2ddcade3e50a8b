"""Entry points as processes: signals, rejections, HTTP, and how connections come back."""

from __future__ import annotations

from pathlib import Path

from auditor.code.collect import collect
from auditor.code.model import CodeModel, EntryPoint, Retry


def scan(root: Path, entry: str = "", **files: str) -> CodeModel:
    for name, text in files.items():
        (root / f"{name}.ts").write_text(text)
    entries = [EntryPoint("app", str(root / entry), 1, "a test")] if entry else []
    return collect([root], entry_points=entries)


WORKER = "import { Worker } from 'bullmq';\nexport const worker = new Worker('q', async () => 1, { connection });\n"


def test_a_process_shows_its_signals_and_rejections(tmp_path: Path) -> None:
    model = scan(
        tmp_path,
        "main.ts",
        worker=WORKER.replace("{ connection }", "{}"),
        main="import { worker } from './worker';\n"
        "process.on('SIGTERM', async () => { await worker.close(); });\n"
        "process.on('unhandledRejection', () => process.exit(1));\n",
    )
    (process,) = model.processes
    assert process.known
    assert process.starts_workers
    assert not process.serves_http
    assert list(process.signals) == ["SIGTERM"]
    assert [span.start for span in process.unhandled_rejection] == [3]
    assert model.workers[0].closed_on == ("SIGTERM",)


def test_an_sdk_that_handles_rejections_is_named(tmp_path: Path) -> None:
    model = scan(
        tmp_path,
        "main.ts",
        worker=WORKER.replace("{ connection }", "{}"),
        main="import * as Sentry from '@sentry/node';\nimport './worker';\nSentry.init({});\n",
    )
    assert model.processes[0].rejections_by == "@sentry/node"


def test_a_second_listener_that_exits_is_seen(tmp_path: Path) -> None:
    model = scan(
        tmp_path,
        "main.ts",
        worker=WORKER.replace("{ connection }", "{}"),
        main="import { worker } from './worker';\nimport './other';\n"
        "process.on('SIGTERM', async () => { await worker.close(); });\n",
        other="process.on('SIGTERM', () => process.exit(0));\n",
    )
    exits = model.processes[0].exits_first
    assert exits is not None
    assert exits.path == "other.ts"


def retry(tmp_path: Path, strategy: str) -> Retry:
    model = scan(
        tmp_path,
        worker="import IORedis from 'ioredis';\nimport { Worker } from 'bullmq';\n"
        f"const connection = new IORedis('redis://x', {{ maxRetriesPerRequest: null, retryStrategy: {strategy} }});\n"
        "new Worker('q', async () => 1, { connection });\n",
    )
    (connection,) = model.connections
    assert connection.client
    assert connection.used_by == ("worker",)
    return connection.retry


def test_retry_strategies_are_told_apart(tmp_path: Path) -> None:
    for index, (strategy, expected) in enumerate(
        {
            "(times) => Math.min(times * 50, 2000)": Retry.BOUNDED,
            "(times) => times * 50": Retry.UNBOUNDED,
            "(times) => { if (times > 3) return null; return 100; }": Retry.STOPS,
            "() => null": Retry.OFF,
        }.items()
    ):
        folder = tmp_path / str(index)
        folder.mkdir()
        assert retry(folder, strategy) is expected, strategy


def test_a_queue_built_in_a_handler_is_built_per_call(tmp_path: Path) -> None:
    model = scan(
        tmp_path,
        worker="import { Queue, Worker } from 'bullmq';\n"
        "async function next(id: string) {\n  const queue = new Queue('next');\n  await queue.add('x', { id });\n}\n"
        "new Worker('q', async (job) => next(job.data.id));\n"
        "const kept = new Queue('kept');\nkept.add('x', {});\n",
    )
    assert {queue.name: queue.per_call for queue in model.queues} == {"next": True, "kept": False}
    assert [producer.in_handler for producer in model.producers] == [True, False]


def test_everything_lives_where_no_entry_point_is_known(tmp_path: Path) -> None:
    model = scan(tmp_path, worker="import { Worker } from 'bullmq';\nexport const f = () => new Worker('q', null);\n")
    assert not model.entry_points_known
    assert model.workers[0].live
