"""Ways of writing that real repositories have: each small project with what the inventory must say of it."""

from __future__ import annotations

import json
from pathlib import Path

from auditor.code.collect import collect
from auditor.code.model import CodeModel
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
