"""Entry points as processes: signals, rejections, HTTP, and how connections come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect
from auditor.code.model import CodeModel, EntryPoint, Retry
from auditor.code.running.signals import may_handle


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


def test_signals_are_found_where_a_library_handles_them(tmp_path: Path) -> None:
    worker = "import { Worker } from 'bullmq';\nexport const worker = new Worker('mail', async () => {});\n"
    main = "import onDeath from 'death';\nimport { worker } from './worker';\nonDeath(async () => { await worker.close(); });\n"
    assert scan(tmp_path, "main.ts", main=main, worker=worker).workers[0].closed_on == ("SIGTERM", "SIGINT")


@pytest.mark.parametrize(
    ("text", "may"),
    [
        (b"process.on('SIGTERM', stop)", True),
        (b"app.enableShutdownHooks()", True),
        (b'import { createTerminus } from "@godaddy/terminus"', True),
        (b"const stop = require('http-graceful-shutdown')", True),
        (b"// after its death it ends gracefully", False),
        (b"import a from 'death-star'; // graceful", False),
        (b"worker.close()", False),
        (b"STOPS.forEach((name) => process.once(name, stop))", True),
        (b"process.on('uncaughtException', stop)", False),
    ],
)
def test_files_that_handle_signals_are_told_by_their_text(text: bytes, may: bool) -> None:
    assert may_handle(text) is may


def test_signals_that_a_constant_of_another_file_names_are_handled(tmp_path: Path) -> None:
    model = scan(
        tmp_path,
        "main.ts",
        worker=WORKER.replace("{ connection }", "{}"),
        names="export const STOPS: string[] = ['SIGTERM', 'SIGINT'];\n",
        main="import { STOPS } from './names';\nimport { worker } from './worker';\n"
        "const stop = async () => { await worker.close(); };\n"
        "STOPS.forEach((name) => process.on(name, () => void stop()));\n",
    )
    assert model.workers[0].closed_on == ("SIGTERM", "SIGINT")


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


POOL = """
import { Worker } from 'bullmq';
export class Pool {
  bootstrap() { return 1; }
  run() { return new Worker('q', async () => 1); }
}
"""


def test_a_process_that_loads_a_worker_s_file_and_never_builds_it_starts_none(tmp_path: Path) -> None:
    for name, text in {
        "pool": POOL,
        "worker": "import { Pool } from './pool';\nnew Pool().run();\n",
        "board": "import { Pool } from './pool';\nconst pool = new Pool();\npool.bootstrap();\n",
    }.items():
        (tmp_path / f"{name}.ts").write_text(text)
    entries = [EntryPoint("", str(tmp_path / f"{name}.ts"), 1, "a test") for name in ("worker", "board")]
    model = collect([tmp_path], entry_points=entries)
    assert {process.entry.path: process.starts_workers for process in model.processes} == {
        "worker.ts": True,
        "board.ts": False,
    }


NEST = "import { NestFactory } from '@nestjs/core';\nimport { AppModule } from './worker';\n"
ENDS = [
    NEST + "async function run() { const app = await NestFactory.createApplicationContext(AppModule);\n"
    " try { await app.get('x').go(); } finally { await app.close(); } }\nvoid run();\n",
    "import './worker';\nmain().then(() => process.exit(0)).catch(() => process.exit(1));\nasync function main() {}\n",
    "import './worker';\nif (require.main === module) void main();\nasync function main() { process.exit(); }\n",
    "import './worker';\n(async () => { process.exit(0); })();\n",
]
STAYS = [
    NEST + "async function run() { const app = await NestFactory.createApplicationContext(AppModule);\n"
    " process.on('SIGTERM', async () => { await app.close(); process.exit(0); }); }\nvoid run();\n",
    "import './worker';\nmain().catch(() => process.exit(1));\nasync function main() {}\n",
    "import './worker';\nif (!process.env.URL) process.exit(0);\n",
    "import './worker';\nconst stop = async () => { setTimeout(() => process.exit(0), 100); };\nprocess.once('SIGINT', stop);\n",
]


@pytest.mark.parametrize(("main", "ends"), [*((main, True) for main in ENDS), *((main, False) for main in STAYS)])
def test_a_script_that_ends_by_itself_runs_no_workers_for_long(tmp_path: Path, main: str, ends: bool) -> None:
    worker = "import { Worker } from 'bullmq';\nexport class AppModule {}\nexport const w = new Worker('q', async () => 1);\n"
    (process,) = scan(tmp_path, "main.ts", worker=worker, main=main).processes
    assert (process.one_off, process.starts_workers) == (ends, not ends)


LOOP = """
import { Queue, QueueEvents } from 'bullmq';
const registry = { registerQueue(name: string, queue: Queue) {} };
const NAMES = ['a', 'b'];
export function setUp() {
  for (const name of NAMES) {
    const events = new QueueEvents(name);
    events.on('removed', () => undefined);
    const key = `x-${name}`;
    const own = new Queue(key);
    own.on('error', () => undefined);
  }
  while (true) {
    const kept = new Queue('kept');
    registry.registerQueue('kept', kept);
  }
}
export async function wasteful(users: string[]) {
  for (const user of users) {
    const queue = new Queue('same');
    await queue.add('x', { user });
  }
}
"""


def test_one_object_for_each_name_in_a_list_is_not_one_per_call(tmp_path: Path) -> None:
    model = scan(tmp_path, loop=LOOP)
    assert {queue.name: queue.per_call for queue in model.queues} == {"x-a|x-b": False, "kept": False, "same": True}
    assert not any(connection.per_call for connection in model.connections)


def test_a_server_that_a_process_never_starts_is_not_served_by_it(tmp_path: Path) -> None:
    server = (
        "import express from 'express';\nexport function open() { const app = express();\n app.get('/orders', list);\n"
        " app.listen(80);\n}\nexport const PORT = 80;\n"
    )
    for name, text in {
        "server": server,
        "worker": WORKER.replace("{ connection }", "{}") + "import { PORT } from './server';\nconsole.log(PORT);\n",
        "web": "import { open } from './server';\nimport './worker';\nopen();\n",
    }.items():
        (tmp_path / f"{name}.ts").write_text(text)
    entries = [EntryPoint("", str(tmp_path / f"{name}.ts"), 1, "a test") for name in ("worker", "web")]
    model = collect([tmp_path], entry_points=entries)
    assert {one.entry.path: one.serves_http for one in model.processes} == {"worker.ts": False, "web.ts": True}
