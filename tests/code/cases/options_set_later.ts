import { Processor, WorkerHost } from '@nestjs/bullmq';
import { Worker } from 'bullmq';

const plain = new Worker('plain', async (job) => job.data, { concurrency: 2 }); // expect: worker queue=plain concurrency=8 maxStalledCount=3 listeners= closed=
plain.concurrency = 8;
plain.opts.maxStalledCount = 3;

const tuned = new Worker('tuned', async (job) => job.data, { concurrency: 2 }); // expect: worker queue=tuned concurrency=varies lockDuration=none
export function tune(busy: boolean) {
  if (busy) tuned.concurrency = 20;
}

const other = new Worker('other', async (job) => job.data, { concurrency: 2 }); // expect: worker queue=other concurrency=2
export const seen = { opts: { concurrency: 1 }, other };
seen.opts.concurrency = 7;

@Processor('mail') // expect: worker queue=mail limiter={"max":10,"duration":1000} maxStalledCount=varies concurrency=none
export class MailProcessor extends WorkerHost {
  onApplicationBootstrap() {
    this.worker.opts.limiter = { max: 10, duration: 1000 };
    this.worker.opts.maxStalledCount = process.argv.includes('--bulk') ? 2 : 0;
  }
  async process(job) { return job.data; }
}

@Processor('sms') // expect: worker queue=sms limiter=none
export class SmsProcessor extends WorkerHost {
  async process(job) { return job.data; }
}
