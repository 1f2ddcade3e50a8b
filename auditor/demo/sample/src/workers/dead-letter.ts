import type { Worker } from 'bullmq';
import { deadLetters } from '../queues.js';
import { log } from '../lib/log.js';
import { jobDuration, jobsFailed } from '../lib/metrics.js';

/** Logs, metrics and dead letters of one worker. */
export function supervise(worker: Worker): Worker {
  worker.on('error', (error) => log.error({ error, queue: worker.name }, 'worker error'));
  worker.on('completed', (job) => {
    jobDuration.observe({ queue: worker.name, job: job.name }, ((job.finishedOn ?? 0) - (job.processedOn ?? 0)) / 1000);
  });
  worker.on('failed', async (job, error) => {
    if (!job) return;
    const final = error.name === 'UnrecoverableError' || job.attemptsMade >= (job.opts.attempts ?? 1);
    log.warn({ jobId: job.id, queue: worker.name, attempt: job.attemptsMade, final, reason: error.message }, 'job failed');
    if (!final) return;
    jobsFailed.inc({ queue: worker.name, job: job.name });
    await deadLetters.add('failed-job', {
      queue: worker.name,
      id: job.id,
      data: job.data,
      reason: error.message,
      stack: error.stack,
      failedAt: new Date().toISOString(),
    });
  });
  return worker;
}
