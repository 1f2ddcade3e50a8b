import { Queue, Worker } from 'bullmq';

const mail = new Queue('mail', { defaultJobOptions: { attempts: 3, backoff: { type: 'exponential', delay: 1000 } } });

export async function send(id: string) {
  await mail.add('welcome', { id }, { jobId: `mail-${id}` }); // expect: producer queue=mail job=welcome attempts=3 backoff=exponential jobId=deterministic
  await mail.add('news', { id }, { attempts: 5 * 2, removeOnComplete: true }); // expect: producer queue=mail attempts=10 removeOnComplete=true jobId=none
  await mail.add('once', { id }, { jobId: `once-${Date.now()}`, priority: 1 }); // expect: producer queue=mail jobId=random priority=1
}

new Worker('mail', async (job) => job.data, { concurrency: 5, lockDuration: 60_000 }); // expect: worker queue=mail concurrency=5 lockDuration=60000 listeners= closed=
