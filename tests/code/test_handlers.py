"""What a worker is given to run: wrapped functions, processor files by every way of writing their path, Nest's own objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.code.collect import collect
from auditor.code.model import Worker

WORK = "async (job) => { await axios.post('https://x.example', job.data); }"
HEAD = "import axios from 'axios';\n"
DONE = "http.write axios.post"

PROCESSORS = {
    "a default arrow": f"{HEAD}export default {WORK};\n",
    "a default name": f"{HEAD}const run = {WORK};\nexport default run;\n",
    "an own wrapper": f"{HEAD}const wrap = (f) => async (job) => f(job);\nexport default wrap({WORK});\n",
    "a package's wrapper": f"{HEAD}import tracer from 'dd-trace';\nexport default tracer.wrap('x', {WORK});\n",
    "module.exports": f"const axios = require('axios');\nmodule.exports = {WORK};\n",
    "module.exports of a name": f"const axios = require('axios');\nconst run = {WORK};\nmodule.exports = run;\n",
    "exports.default": f"const axios = require('axios');\nexports.default = {WORK};\n",
    "export =": f"{HEAD}const run = {WORK};\nexport = run;\n",
    "a re-export": "export { run as default } from './named';\n",
    "an import": "import { run } from './named';\nexport default async (job) => run(job);\n",
    "a bound method": f"{HEAD}class H {{ run = {WORK} }}\nconst h = new H();\nexport default h.run.bind(h);\n",
    "Nest's context": f"{HEAD}import {{ NestFactory }} from '@nestjs/core';\nclass S {{ run = {WORK} }}\n"
    "export default async (job) => { const app = await NestFactory.createApplicationContext(M); await app.get(S).run(job); };\n",
}
PATHS = [
    "path.join(__dirname, 'processor.js')",
    "`${__dirname}/processor.js`",
    "__dirname + '/processor.js'",
    "new URL('./processor.js', import.meta.url)",
    "fileURLToPath(new URL('./processor.js', import.meta.url))",
    "pathToFileURL(path.join(__dirname, 'processor.js'))",
    "require.resolve('./processor')",
    "path.join(path.dirname(fileURLToPath(import.meta.url)), 'processor.js')",
    "path.resolve('./src/processor.ts')",
    "path.resolve('./dist/processor.js')",
    "path.join(process.cwd(), 'dist', 'processor.js')",
    "path.join(__dirname, `processor.${process.env.DEV ? 'ts' : 'js'}`)",
    "path.join(__dirname, 'processor' + path.extname(__filename))",
    "path.join(import.meta.dirname, 'processor.js')",
    "`${import.meta.dirname}/processor.js`",
    "fileURLToPath(import.meta.resolve('./processor.js'))",
    "new URL(import.meta.resolve('./processor.js'))",
    "new URL('./processor.js', import.meta.url).pathname",
    "new URL('./processor.js', import.meta.url).href",
    "createRequire(import.meta.url).resolve('./processor')",
]


def consumer(root: Path, handler: str, processor: str) -> Worker:
    """The only worker of a program whose processor file is src/processor.ts."""
    (root / "src").mkdir()
    (root / "package.json").write_text("{}")
    (root / "src" / "named.ts").write_text(f"{HEAD}export const run = {WORK};\n")
    (root / "src" / "processor.ts").write_text(processor)
    (root / "src" / "worker.ts").write_text(
        "import path from 'node:path';\nimport { fileURLToPath, pathToFileURL } from 'node:url';\n"
        "import { createRequire } from 'node:module';\n"
        f"import {{ Worker }} from 'bullmq';\nnew Worker('q', {handler});\n"
    )
    (worker,) = collect([root]).workers
    return worker


def does(worker: Worker) -> list[str]:
    return [f"{effect.role.value} {effect.call}" for effect in worker.effects]


@pytest.mark.parametrize("processor", PROCESSORS.values(), ids=PROCESSORS)
def test_a_processor_file_is_followed(tmp_path: Path, processor: str) -> None:
    worker = consumer(tmp_path, PATHS[0], processor)
    assert (worker.sandboxed, does(worker)) == (True, [DONE])


@pytest.mark.parametrize("path", PATHS)
def test_a_processor_file_is_found(tmp_path: Path, path: str) -> None:
    worker = consumer(tmp_path, path, PROCESSORS["a default arrow"])
    assert worker.handler is not None
    assert (worker.sandboxed, worker.handler.path, does(worker)) == (True, "src/processor.ts", [DONE])


@pytest.mark.parametrize(
    "handler",
    ["tracer.wrap('q', {}, run)", "withSpan('q')(run)", "Sentry.wrap(\n  'q',\n  async (job) => run(job),\n)"],
)
def test_a_handler_behind_a_package_s_wrapper_is_followed(tmp_path: Path, handler: str) -> None:
    (tmp_path / "a.ts").write_text(
        f"{HEAD}import tracer from 'dd-trace';\nimport * as Sentry from '@sentry/node';\nimport {{ withSpan }} from 'spans';\n"
        f"import {{ Worker }} from 'bullmq';\nconst run = {WORK};\nconst handler = {handler};\nnew Worker('q', handler);\n"
    )
    (worker,) = collect([tmp_path]).workers
    assert (worker.handler is not None, worker.followed, does(worker)) == (True, True, [DONE])


@pytest.mark.parametrize(
    "head",
    [
        "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\nconst { Worker } = require('bullmq');\nconst { run } = require('./run.cjs');",
        "import { createRequire } from 'module';\nconst load = createRequire(import.meta.url);\nconst { Worker } = load('bullmq');\nconst { run } = load('./run.cjs');",
        "import module from 'node:module';\nconst { Worker } = module.createRequire(import.meta.url)('bullmq');\nconst { run } = module.createRequire(import.meta.url)('./run.cjs');",
    ],
)
def test_a_require_that_is_made_is_one(tmp_path: Path, head: str) -> None:
    (tmp_path / "worker.mjs").write_text(f"{head}\nnew Worker('q', run);\n")
    (tmp_path / "run.cjs").write_text(f"const axios = require('axios');\nexports.run = {WORK};\n")
    (worker,) = collect([tmp_path]).workers
    assert (worker.queue, does(worker)) == (("q",), [DONE])


CONFIGS = """import {{ Worker }} from 'bullmq';
import {{ PrismaClient }} from '@prisma/client';
const prisma = new PrismaClient();
const start = (name, processor, opts) => new Worker(name, processor, opts);
const sendMail = async (job) => prisma.mail.create(job.data);
const refund = async (job) => prisma.refund.create(job.data);
const configs = [{{ name: 'mail', run: sendMail }}, {{ name: 'refund', run: refund }}];
{loop}
"""


@pytest.mark.parametrize(
    "loop",
    [
        "for (const config of configs) {\n  const adapted = (job) => config.run(job, {});\n  start(config.name, adapted);\n}",
        "configs.forEach(({ name, run }) => start(name, async (job) => run(job)));",
        "const traced = (f) => process.env.PLAIN ? f : async function (...args) { return f.apply(this, args); };\n"
        "for (const config of configs) start(config.name, traced(config.run));",
    ],
    ids=["a closure over a turn of a loop", "a callback's parameters", "wrapped in one branch, bare in another"],
)
def test_handlers_of_one_place_are_told_apart(tmp_path: Path, loop: str) -> None:
    (tmp_path / "worker.ts").write_text(CONFIGS.format(loop=loop))
    (worker,) = collect([tmp_path]).workers
    assert [(part.queue, part.handler_name, [effect.call for effect in part.effects]) for part in worker.handlers] == [
        (("mail",), "sendMail", ["prisma.mail.create"]),
        (("refund",), "refund", ["prisma.refund.create"]),
    ]


def test_a_closure_that_is_made_again_for_each_queue_is_one_handler(tmp_path: Path) -> None:
    (tmp_path / "worker.ts").write_text(
        CONFIGS.format(
            loop="const logged = (f) => async (job) => { console.log(job.id); return f(job); };\n"
            "const begin = (region) => start(`mail-${region}`, logged(sendMail));\nbegin('eu');\nbegin('us');"
        )
    )
    (worker,) = collect([tmp_path]).workers
    assert [effect.call for effect in worker.effects] == ["console.log", "prisma.mail.create"]


@pytest.mark.parametrize(
    ("taken", "call"),
    [
        ("job", "f.call(this, job)"),
        ("job", "f.apply(this, [job])"),
        ("...args", "f.apply(this, args)"),
        ("...args", "f.call(null, ...args)"),
        ("...args", "f(...args)"),
    ],
)
def test_a_function_that_is_called_by_its_own_method_is_followed(tmp_path: Path, taken: str, call: str) -> None:
    (tmp_path / "worker.ts").write_text(
        CONFIGS.format(
            loop=f"const traced = (f) => async function ({taken}) {{ return {call}; }};\n"
            "start('mail', traced(async (job) => { await prisma.mail.create({ data: { id: job.data.id } }); }));"
        )
    )
    (worker,) = collect([tmp_path]).workers
    assert [(effect.call, effect.keyed_by) for effect in worker.effects] == [("prisma.mail.create", ("job.data.id",))]
