"""What findings and evidence say: words that would be wrong send a reader to the wrong place."""

from __future__ import annotations

from pathlib import Path

from auditor.model import Result, Status

from .support import Case, judge


def result(root: Path, item: str, code: str) -> Result:
    """The item's result on one file that the start script runs."""
    package = '{"scripts": {"start": "node dist/index.js"}, "dependencies": {"bullmq": "5.61.0", "ioredis": "5.4.0"}}'
    return judge(Case(item, Status.FAIL, "", {"package.json": package, "src/index.ts": code}), root)


def test_a_close_that_the_process_does_not_wait_for(tmp_path: Path) -> None:
    found = result(
        tmp_path,
        "TT022",
        """import { Worker } from 'bullmq';
const worker = new Worker('sync', async (job) => job.data, { connection: {} });
process.on('SIGTERM', async () => {
  worker.close();
  await disconnect();
  process.exit(0);
});
""",
    )
    assert found.verdict.status is Status.FAIL
    assert "exits before its close() is awaited (src/index.ts:6)" in found.verdict.reason


def test_null_is_not_told_as_unset(tmp_path: Path) -> None:
    found = result(
        tmp_path,
        "TT025",
        """import { Worker } from 'bullmq';
import IORedis from 'ioredis';
const connection = new IORedis(process.env.REDIS_URL!, { maxRetriesPerRequest: null });
new Worker('sync', async (job) => job.data, { connection });
""",
    )
    assert found.verdict.status is Status.PASS
    assert "maxRetriesPerRequest: null" in found.verdict.evidence[0].observed


def test_a_path_starts_at_the_processor_that_makes_the_call(tmp_path: Path) -> None:
    found = result(
        tmp_path,
        "TT029",
        """import Bull from 'bull';
import { Processor, Process } from '@nestjs/bull';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
@Processor('sync')
class Sync {
  @Process('count')
  async count(job) { return job.data.count; }
  @Process('push')
  async push(job) { await fetch(job.data.url); }
}
@Module({ providers: [Sync] })
class AppModule {}
NestFactory.createApplicationContext(AppModule);
""",
    )
    assert found.verdict.status is Status.FAIL
    assert "handler Sync.push (src/index.ts:10) → fetch (:10)" in found.verdict.reason


def test_mail_jobs_among_others_are_not_told_as_enqueued_by_nobody(tmp_path: Path) -> None:
    found = result(
        tmp_path,
        "TT061",
        """import { Queue, Worker } from 'bullmq';
import { Resend } from 'resend';
const resend = new Resend(process.env.KEY);
const name = process.env.QUEUE_CLUSTER ? '{cron}' : 'cron';
const queue = new Queue(name, { connection: {} });
queue.add('salt', {});
queue.add('digest', {});
new Worker(queue.name, async (job) => {
  if (job.data.type === 'digest') await resend.emails.send({ from: 'a@example.com', to: job.data.to, subject: 's', text: 't' });
}, { connection: {} });
""",
    )
    assert found.verdict.status is Status.UNVERIFIED
    assert "which of the 2 jobs put there they are is not told by their names" in found.verdict.reason


def test_an_unresolved_number_of_attempts_is_not_told_as_more_than_one(tmp_path: Path) -> None:
    found = result(
        tmp_path,
        "TT002",
        """import { Queue } from 'bullmq';
import { attemptsFor } from 'settings-of-ours';
const mail = new Queue('mail', { connection: {} });
mail.add('welcome', { userId: 1 }, { attempts: attemptsFor('mail') });
""",
    )
    assert found.verdict.status is Status.UNVERIFIED
    assert "whether it is tried again is not resolved" in found.verdict.reason
    assert "more than one attempt" not in found.verdict.reason


def test_figures_and_snippets_are_shown_as_code_writes_them(tmp_path: Path) -> None:
    code = """import { Queue, Worker } from 'bullmq';
import nodemailer from 'nodemailer';
const transport = nodemailer.createTransport({ host: 'smtp' });
const emails = new Queue('emails', { connection: {} });
emails.add('welcome', { to: 'a@example.com' }, { attempts: 3, backoff: 500 });
new Worker('emails', async (job) => { await transport.sendMail({ to: job.data.to, subject: 's', text: 't' }); }, { connection: {} });
"""
    bounds = result(tmp_path, "TT029", code)
    assert bounds.verdict.findings[0].evidence[0].observed == "transport.sendMail: timeout: 600000"
    named = result(tmp_path, "TT007", code)
    assert named.verdict.findings[0].fix == "```ts\nawait queue.add(name, data, { jobId: `charge-${orderId}` })\n```"
