import { Job, Worker } from 'bullmq';
import { failedJobs } from './failed-jobs';

/** Standard listeners for our workers. */
export function attachListeners(worker: Worker) {
  worker.on('error', (error) => console.error('worker error', error));
  worker.on('stalled', (jobId) => console.warn('stalled', jobId));
  worker.on('failed', async (job: Job, error) => {
    if (job.attemptsMade >= job.opts.attempts) {
      await failedJobs.add('failed', { data: job.data, reason: error.message, stack: error.stack });
    }
  });
}
