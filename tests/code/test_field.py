"""Ways of writing that real repositories have: each small project with what the inventory must say of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.code.collect import collect
from auditor.code.model import CodeModel, OptionState
from auditor.infra.collect import entry_points_above


def read(root: Path, uses: dict[str, str], **files: str) -> CodeModel:
    """The model of a project whose start script runs src/index.ts; `a__b` stands for a/b."""
    files.setdefault("package.json", json.dumps({"scripts": {"start": "node dist/index.js"}, "dependencies": uses}))
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path = path if path.suffix else path.with_suffix(".ts")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return collect([root], entry_points=entry_points_above(root))


def test_an_inherited_queue_has_the_name_that_the_subclass_gives(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0"},
        src__base="""
            import { Queue } from 'bullmq';
            export class BaseQueue {
              protected queue!: Queue;
              protected queueName = '';
              init() { this.queue = new Queue(this.queueName, { connection: {} }); }
              async addJob(data: unknown) { await this.queue.add(this.queueName, data); }
            }
        """,
        src__index="""
            import { BaseQueue } from './base';
            class MailQueue extends BaseQueue {
              protected queueName = 'mail';
              async later(data: unknown) { await this.queue.add('later', data, { delay: 5 }); }
            }
            class PushQueue extends BaseQueue { protected queueName = 'push'; }
            const mail = new MailQueue();
            mail.init();
            mail.later({});
            new PushQueue().init();
        """,
    )
    queues = {job.span.path: set(job.queue) for job in model.producers}
    assert queues == {"src/base.ts": {"mail", "push"}, "src/index.ts": {"mail"}}


def test_a_token_of_nest_stands_for_its_queue(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0", "@nestjs/bullmq": "11.0.0", "@nestjs/common": "11.0.0"},
        src__index="""
            import { BullModule, getQueueToken } from '@nestjs/bullmq';
            import { Inject, Injectable, Module } from '@nestjs/common';
            import { NestFactory } from '@nestjs/core';
            import { Queue } from 'bullmq';
            @Injectable()
            export class Sms {
              @Inject(getQueueToken('sms')) private readonly smsQueue: Queue;
              constructor(@Inject(getQueueToken('mail')) private readonly mailQueue: Queue) {}
              async send() {
                await this.smsQueue.add('text', {});
                await this.mailQueue.add('text', {});
              }
            }
            @Module({ imports: [BullModule.registerQueue({ name: 'sms' }, { name: 'mail' })], providers: [Sms] })
            class AppModule {}
            NestFactory.create(AppModule).then((app) => app.get(Sms).send());
        """,
    )
    assert [job.queue for job in model.producers] == [("sms",), ("mail",)]


def test_options_that_are_not_known_make_no_scheduler(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0"},
        src__index="""
            import { Queue, JobsOptions } from 'bullmq';
            import { load } from 'somewhere';
            const mails = new Queue('mails', { connection: {} });
            const options: JobsOptions = load();
            mails.add('welcome', {}, options);
            mails.add('digest', {}, { repeat: { pattern: '0 7 * * *' } });
        """,
    )
    assert [job.scheduler is not None for job in model.producers] == [False, True]


def test_a_folder_that_is_loaded_as_a_whole_lives(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bull": "4.16.5"},
        src__queue="import Bull from 'bull'; export const events = new Bull('events');",
        src__tasks__index="""
            import { loadDirectory } from '../loading';
            export const tasks = loadDirectory(__dirname);
        """,
        src__tasks__remind="""
            import { events } from '../queue';
            export default class RemindTask { async perform() { await events.add({ name: 'remind' }); } }
        """,
        src__forgotten="""
            import { events } from './queue';
            export default class Forgotten { async perform() { await events.add({ name: 'forgotten' }); } }
        """,
        src__loading="export function loadDirectory(folder: string) { return require(folder + '/x'); }",
        src__index="""
            import { events } from './queue';
            import { tasks } from './tasks';
            events.process(async (job) => tasks[job.data.name].perform(job.data));
        """,
    )
    assert {job.span.path: job.live for job in model.producers} == {
        "src/tasks/remind.ts": True,
        "src/forgotten.ts": False,
    }


def test_numbers_of_the_language_and_of_a_proxied_environment_are_known(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0"},
        src__index="""
            import { Queue, Worker } from 'bullmq';
            const HIGHEST = Number.MAX_SAFE_INTEGER;
            const env = new Proxy(process.env, { get: (held, name) => held[name as string] });
            const mails = new Queue('mails', { connection: {} });
            mails.add('welcome', {}, { priority: Math.round(HIGHEST / 2) });
            new Worker('mails', async () => {}, { connection: {}, concurrency: Number(env.CONCURRENCY ?? 10) });
        """,
    )
    assert model.producers[0].options["priority"].value == 2**52
    assert model.workers[0].options["concurrency"].value == 10


def test_a_factory_takes_what_its_types_say(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0", "@nestjs/bullmq": "11.0.0", "@nestjs/common": "11.0.0", "ioredis": "5.4.0"},
        src__redis="""
            import { Injectable } from '@nestjs/common';
            import Redis from 'ioredis';
            @Injectable()
            export class RedisService extends Redis {
              readonly tries = 4;
              get bullClient() { return new Redis(process.env.REDIS_URL!, { maxRetriesPerRequest: null }); }
            }
        """,
        src__index="""
            import { BullModule, InjectQueue } from '@nestjs/bullmq';
            import { Injectable, Module } from '@nestjs/common';
            import { NestFactory } from '@nestjs/core';
            import { Queue } from 'bullmq';
            import { RedisService } from './redis';
            @Injectable()
            class Mail {
              constructor(@InjectQueue('mail') private readonly queue: Queue) {}
              async send() { await this.queue.add('welcome', {}); }
            }
            @Module({
              imports: [
                BullModule.registerQueueAsync({
                  name: 'mail',
                  inject: [RedisService],
                  useFactory: (redis: RedisService) => ({
                    connection: redis.bullClient,
                    defaultJobOptions: { attempts: redis.tries },
                  }),
                }),
              ],
              providers: [Mail, RedisService],
            })
            class AppModule {}
            NestFactory.create(AppModule).then((app) => app.get(Mail).send());
        """,
    )
    assert model.producers[0].options["attempts"].value == 4
    assert [connection.span.path for connection in model.connections] == ["src/redis.ts"]


def test_a_wide_barrel_does_not_use_up_the_effort(tmp_path: Path) -> None:
    files = {f"src__lib__part{n}": f"export const part{n} = {n};" for n in range(80)}
    files["src__lib__index"] = "\n".join(f"export * from './part{n}';" for n in range(80)) + "\nexport * from './wrap';"
    model = read(
        tmp_path,
        {"bullmq": "5.61.0"},
        **files,
        src__lib__wrap="""
            import { Worker } from 'bullmq';
            export class Wrap {
              private made!: Worker;
              get worker() { return this.made; }
              start(name: string) { this.made = new Worker(name, async () => {}, { connection: {} }); }
            }
        """,
        src__index="""
            import { Wrap } from './lib';
            class Mail extends Wrap {
              constructor() { super(); this.start('mail'); this.worker.on('failed', () => {}); }
            }
            new Mail();
        """,
    )
    assert [(worker.queue, [item.event for item in worker.listeners]) for worker in model.workers] == [
        (("mail",), ["failed"])
    ]


def test_a_worker_script_beside_a_framework_serves_no_routes(tmp_path: Path) -> None:
    package = {"scripts": {"start": "node worker.js"}, "dependencies": {"bullmq": "5.61.0", "next": "15.0.0"}}
    model = read(
        tmp_path,
        {},
        **{
            "package.json": json.dumps(package),
            "worker": """
                import { Worker } from 'bullmq';
                new Worker('mail', async () => {}, { connection: {} });
            """,
            "app__api__send__route": """
                import { Queue } from 'bullmq';
                const queue = new Queue('mail', { connection: {} });
                export async function POST() { await queue.add('welcome', {}); return new Response(); }
            """,
        },
    )
    assert [job.live for job in model.producers] == [True]
    [process] = [process for process in model.processes if process.workers]
    assert not process.serves_http


def test_each_handler_behind_one_wrapper_is_followed(tmp_path: Path) -> None:
    names = ("Orders", "Mails", "Exports", "Sweeps")
    model = read(
        tmp_path,
        {"bullmq": "5.61.0", "@prisma/client": "6.0.0"},
        src__manager="""
            import { Worker, Processor } from 'bullmq';
            export class Manager {
              private static timed(processor: Processor): Processor {
                return async (job) => { const result = await processor(job); return result; };
              }
              static register(name: string, processor: Processor) {
                new Worker(name, Manager.timed(processor), { connection: {} });
              }
            }
        """,
        src__index="""
            import { PrismaClient } from '@prisma/client';
            import { Manager } from './manager';
            const db = new PrismaClient();
        """
        + "".join(
            f"Manager.register('{name}', async (job) => db.{name}.create({{ data: job.data }}));\n" for name in names
        ),
    )
    assert [effect.call for effect in model.workers[0].effects] == [f"db.{name}.create" for name in names]


def test_who_asks_for_a_queue_is_not_looked_at_to_know_that_it_is_one(tmp_path: Path) -> None:
    callers = {
        f"src__events__e{index}": f"""
            import {{ publish }} from '../publish';
            import {{ shard{index} }} from '../shards/s{index}';
            export const run{index} = (key: string) => publish(shard{index}(key));
        """
        for index in range(40)
    }
    shards = {
        f"src__shards__s{index}": f"export const shard{index} = (key: string) => `s{index}-${{key}}`;"
        for index in range(40)
    }
    model = read(
        tmp_path,
        {"bullmq": "5.61.0"},
        **callers,
        **shards,
        src__queue="""
            import { Queue } from 'bullmq';
            const prefixOf = (name: string) => (process.env.PREFIX ? `{${process.env.PREFIX}:${name}}` : undefined);
            export class Shards {
              private static known = new Map<string, Queue>();
              static getInstance({ shard }: { shard?: string } = {}): Queue | null {
                if (Shards.known.has(shard ?? '')) return Shards.known.get(shard ?? '') || null;
                const name = `events${shard ? `-${shard}` : ''}`;
                const made = new Queue(name, { connection: {}, prefix: prefixOf(name) });
                Shards.known.set(shard ?? '', made);
                return made;
              }
            }
        """,
        src__publish="""
            import { Shards } from './queue';
            export async function publish(key: string) {
              const queue = Shards.getInstance({ shard: key });
              return queue ? queue.add('event', { key }, { attempts: 4 }) : null;
            }
        """,
        src__index="".join(f"import {{ run{index} }} from './events/e{index}'; run{index}(process.argv[2]);\n" for index in range(40)),
    )  # fmt: skip
    assert [(job.span.path, job.options["attempts"].value) for job in model.producers] == [("src/publish.ts", 4)]


def test_a_close_that_a_registry_of_shutdown_handlers_runs_is_reached(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0", "lodash": "4.17.21"},
        src__shutdown="""
            import { groupBy } from 'lodash';
            type Handler = { order: number; callback: () => Promise<unknown> };
            export default class Shutdown {
              private static handlers: Handler[] = [];
              static add(order: number, callback: () => Promise<unknown>) { this.handlers.push({ order, callback }); }
              static async execute() {
                const groups = groupBy(this.handlers, 'order');
                for (const key of Object.keys(groups).sort()) {
                  await Promise.all(groups[key].map(async (handler) => { await handler.callback(); }));
                }
                process.exit(0);
              }
            }
        """,
        src__index="""
            import { Worker } from 'bullmq';
            import Shutdown from './shutdown';
            const seen = new Set<string>();
            const worker = new Worker('mails', async (job) => { seen.add(job.id); }, { connection: {} });
            Shutdown.add(1, async () => { await worker.close(); });
            process.once('SIGTERM', () => Shutdown.execute());
        """,
    )
    assert model.workers[0].closed_on == ("SIGTERM",)


def test_a_transform_that_gives_out_another_schemas_values(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0", "zod": "^4.0.0", "@t3-oss/env-core": "^0.13.0"},
        src__index="""
            import { createEnv } from '@t3-oss/env-core';
            import { Worker } from 'bullmq';
            import { z } from 'zod';
            const parsed = createEnv({
              server: { CONCURRENCY: z.coerce.number().int().optional(), LOCK: z.coerce.number().default(45_000) },
              runtimeEnv: process.env,
            });
            const env = z.object({ MODEL: z.string().optional() })
              .superRefine((value, context) => { if (!value.MODEL) context.addIssue({ code: 'custom', message: 'no model' }); })
              .transform(() => parsed)
              .parse(parsed);
            new Worker('q', async (job) => job.data, { connection: {}, concurrency: env.CONCURRENCY ?? 1, lockDuration: env.LOCK });
        """,
    )
    (worker,) = model.workers
    assert (worker.options["concurrency"].value, worker.options["lockDuration"].value) == (1, 45_000)


def test_a_transform_that_makes_settings_of_variables(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0", "zod": "^3.23.0"},
        src__index="""
            import { Worker } from 'bullmq';
            import { z } from 'zod';
            const settings = z.object({ WORKERS: z.coerce.number().default(7), LOCK_S: z.string().default('45') })
              .superRefine(() => undefined)
              .transform((env) => ({ workers: env.WORKERS, lock: Number(env.LOCK_S) * 1000 }))
              .parse(process.env);
            new Worker('q', async (job) => job.data, { connection: {}, concurrency: settings.workers, lockDuration: settings.lock });
        """,
    )
    (worker,) = model.workers
    assert (worker.options["concurrency"].value, worker.options["lockDuration"].value) == (7, 45_000)


@pytest.mark.parametrize(
    ("version", "refused"), [("4.18.3", False), ("5.7.0", False), ("^5.0.0", True), ("5.61.0", True)]
)
def test_a_colon_in_a_queues_name_is_refused_by_newer_versions(tmp_path: Path, version: str, refused: bool) -> None:
    model = read(
        tmp_path,
        {"bullmq": version, "bull": "^4.16.0"},
        src__index="""
            import Bull from 'bull';
            import { Queue } from 'bullmq';
            export const of = (tenant: string) => new Queue(`tenant:${tenant}`, { connection: {} });
            export const old = new Bull('tenant:old');
            of(process.argv[2]).add('x', {});
        """,
    )
    assert [misuse.rule for misuse in model.misuses if misuse.rule == "colon_in_name"] == ["colon_in_name"] * refused


def test_a_nest_process_without_a_name_handles_the_jobs_without_one(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"@nestjs/bull": "^10.1.0", "@nestjs/core": "^10.0.0", "@nestjs/common": "^10.0.0", "bull": "^4.12.0"},
        src__index="""
            import { NestFactory } from '@nestjs/core';
            import { AppModule } from './module';
            NestFactory.create(AppModule).then((app) => app.listen(3000));
        """,
        src__module="""
            import { BullModule } from '@nestjs/bull';
            import { Module } from '@nestjs/common';
            import { Notices } from './notices';
            @Module({ imports: [BullModule.forRoot({ redis: {} }), BullModule.registerQueue({ name: 'notices' })], providers: [Notices] })
            export class AppModule {}
        """,
        src__notices="""
            import { InjectQueue, Process, Processor } from '@nestjs/bull';
            import type { Job, Queue } from 'bull';
            @Processor('notices')
            export class Notices {
              constructor(@InjectQueue('notices') private readonly queue: Queue) {}
              @Process({ concurrency: 5 }) one(job: Job) { return job.data; }
              @Process('bulk') many(job: Job) { return job.data; }
              send(data: object) { return this.queue.add(data); }
            }
        """,
    )
    (worker,) = model.workers
    assert worker.jobs == ("__default__", "bulk")
    assert {job.job for job in model.producers} == {"__default__"}


def test_a_wrapper_of_several_queues_enqueues_several_jobs(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0"},
        src__queues="""
            import { Queue } from 'bullmq';
            const queues = new Map<string, Queue>();
            function queueOf(name: string) {
              if (!queues.has(name)) queues.set(name, new Queue(name, { connection: {}, defaultJobOptions: { attempts: 3 } }));
              return queues.get(name)!;
            }
            export async function enqueue(queue: string, job: string, data: object, options?: { jobId?: string; attempts?: number }) {
              return queueOf(queue).add(job, data, options);
            }
        """,
        src__index="""
            import { enqueue } from './queues';
            await enqueue('payments', 'charge', { orderId: 'a' }, { jobId: 'charge-a', attempts: 5 });
            await enqueue('thumbnails', 'resize', { file: 'a.png' });
        """,
    )
    (producer,) = model.producers
    told = [(one.queue, one.job, one.options["attempts"].value, one.job_id, one.kind) for one in producer.cases]
    assert told == [
        (("payments",), "charge", 5, True, "payment"),
        (("thumbnails",), "resize", 3, None, "other"),
    ]
    assert [[path for path, _ in one.data_keys] for one in producer.cases] == [["orderId"], ["file"]]
    assert model.jobs == producer.cases


def test_a_variable_that_is_assigned_by_destructuring(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0", "@prisma/client": "6.0.0"},
        src__db="""
            import { PrismaClient } from '@prisma/client';
            import { Queue } from 'bullmq';
            function make() {
              const base = new PrismaClient();
              return { prisma: base.$extends({}), queues: [new Queue('mail', { connection: {} })] };
            }
            let prisma; let mail;
            ({ prisma, queues: [mail] } = make());
            export { prisma, mail };
        """,
        src__index="""
            import { Worker } from 'bullmq';
            import { prisma, mail } from './db';
            mail.add('welcome', {});
            new Worker('mail', async (job) => {
              await prisma.user.update({ where: { id: job.data.id }, data: { mailed: true } });
            }, { connection: {} });
        """,
    )
    assert [job.queue for job in model.producers] == [("mail",)]
    assert [effect.role.value for effect in model.workers[0].effects] == ["db.write"]


TRPC = {
    "src__context": """
        import { Queue } from 'bullmq';
        export const mails = new Queue('mails', { connection: {} });
        const queues = { sms: new Queue('sms', { connection: {} }) };
        export const createContext = async ({ req }) => ({ req, mails, queues });
    """,
    "src__index": """
        import express from 'express';
        import { initTRPC } from '@trpc/server';
        import { createExpressMiddleware } from '@trpc/server/adapters/express';
        import { createContext } from './context';
        const t = initTRPC.context().create();
        const app = express();
        app.use('/trpc', createExpressMiddleware({ createContext, router: t.router({
          mail: t.procedure.mutation(async ({ ctx, input }) => { await ctx.mails.add('one', input, { attempts: 3 }); }),
          text: t.procedure.mutation(async (opts) => { await opts.ctx.queues.sms.add('two', opts.input); }),
          none: t.procedure.mutation(async ({ ctx }) => { await ctx.cart.add('three', {}); }),
        }) }));
        app.listen(3000);
    """,
}


def test_queues_in_the_context_of_procedures(tmp_path: Path) -> None:
    model = read(tmp_path, {"bullmq": "5.61.0", "@trpc/server": "11.0.0", "express": "5.0.0"}, **TRPC)
    assert [(job.job, job.queue) for job in model.producers] == [("one", ("mails",)), ("two", ("sms",))]


def test_a_frameworks_app_lives_beside_another_package_that_is_started(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0"},
        src__index="console.log('a program beside it');",
        **{
            "web__package.json": json.dumps({"scripts": {"start": "next start"}, "dependencies": {"next": "15.0.0", "bullmq": "5.61.0"}}),
            "web__pages__api__send": """
                import { enqueue } from '../../jobs';
                export default async function handler(req, res) { await enqueue(req.body); res.end(); }
            """,
            "web__jobs": """
                import { Queue } from 'bullmq';
                const queue = new Queue('mails', { connection: {} });
                export const enqueue = (data) => queue.add('mail', data);
            """,
        },
    )  # fmt: skip
    assert [(job.span.path, job.live) for job in model.producers] == [("web/jobs.ts", True)]


def test_methods_of_an_object_that_is_handed_on_live(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0", "nexus": "1.3.0"},
        src__index="""
            import { Queue } from 'bullmq';
            import { mutationField } from 'nexus';
            const queue = new Queue('mails', { connection: {} });
            export const invite = mutationField('invite', { type: 'Invite', async resolve(root, args) { await queue.add('invite', args); } });
            const unused = { async send(data) { await queue.add('never', data); } };
        """,
    )
    assert {job.job: job.live for job in model.producers} == {"invite": True, "never": False}


def test_a_function_that_asks_for_a_setting_gives_its_default(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        {"bullmq": "5.61.0"},
        src__index="""
            import { Worker } from 'bullmq';
            function concurrencyFor(name: string, otherwise = 1): number {
              const value = process.env[`${name.toUpperCase()}_CONCURRENCY`];
              if (value) {
                const parsed = Number.parseInt(value, 10);
                if (!Number.isNaN(parsed) && parsed > 0) { return parsed; }
              }
              return otherwise;
            }
            const own = () => { if (process.env.JOBS) return Number(process.env.JOBS); return 7; };
            const kept = (big: boolean) => { if (big) return Number(process.env.MANY); return 3; };
            new Worker('one', async () => 1, { connection: {}, concurrency: concurrencyFor('one') });
            new Worker('two', async () => 1, { connection: {}, concurrency: concurrencyFor('two', 5) });
            new Worker('three', async () => 1, { connection: {}, concurrency: own() });
            new Worker('four', async () => 1, { connection: {}, concurrency: kept(process.argv.length > 2) });
        """,
    )
    options = {worker.queue[0]: worker.options["concurrency"] for worker in model.workers}
    assert {name: found.value for name, found in options.items()} == {"one": 1, "two": 5, "three": 7, "four": None}
    assert options["three"].why == "the default of JOBS"
    assert options["four"].state is OptionState.UNKNOWN
