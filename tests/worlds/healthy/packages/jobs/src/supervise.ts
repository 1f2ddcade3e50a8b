import { UnrecoverableError, type Job, type Worker } from 'bullmq';
import { jobDuration, jobsCompleted, jobsFailed, jobsStalled, log } from '@boxoffice/observability';
import { bury } from './dead-letters.js';

function isFinal(job: Job, error: Error): boolean {
  return error instanceof UnrecoverableError || job.attemptsMade >= (job.opts.attempts ?? 1);
}

/** Gives a worker the listeners that each of ours has: logs, metrics, dead letters. */
export function supervise<T extends Worker>(worker: T): T {
  const queue = worker.name;

  worker.on('error', (error) => log.error({ queue, err: error }, 'worker error'));

  worker.on('stalled', (jobId) => {
    jobsStalled.inc({ queue });
    log.warn({ queue, jobId }, 'job stalled');
  });

  worker.on('completed', (job) => {
    jobsCompleted.inc({ queue, job: job.name });
    jobDuration.observe({ queue, job: job.name }, (job.finishedOn! - job.processedOn!) / 1000);
  });

  worker.on('failed', async (job, error) => {
    if (!job) return;
    const final = isFinal(job, error);
    jobsFailed.inc({ queue, job: job.name, final: String(final) });
    log.warn({ queue, jobId: job.id, attempt: job.attemptsMade, final, err: error }, 'job failed');
    if (final) await bury(queue, job, error);
  });

  return worker;
}
