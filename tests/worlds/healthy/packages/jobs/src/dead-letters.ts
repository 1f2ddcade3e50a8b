import { Queue, type Job } from 'bullmq';
import { log } from '@boxoffice/observability';
import { Gauge } from 'prom-client';
import { producerConnection } from './connection.js';
import { QUEUES } from './names.js';

/** Nobody consumes it: a person looks at it, mends the cause and replays (see docs/runbooks/dead-letters.md). */
export const deadLetters = new Queue(QUEUES.deadLetters, { connection: producerConnection() });
deadLetters.on('error', (error) => log.error({ queue: QUEUES.deadLetters, err: error }, 'queue error'));

new Gauge({
  name: 'boxoffice_dead_letters',
  help: 'Jobs that failed for good and wait for a person',
  async collect() {
    this.set(await deadLetters.getWaitingCount());
  },
});

/** Puts a job that failed for good where a person finds it, with all that is needed to replay it. */
export async function bury(queue: string, job: Job, error: Error): Promise<void> {
  await deadLetters.add('failed-job', {
    queue,
    jobId: job.id,
    name: job.name,
    data: job.data,
    reason: error.message,
    stack: error.stack,
    attemptsMade: job.attemptsMade,
    failedAt: new Date().toISOString(),
  });
}
