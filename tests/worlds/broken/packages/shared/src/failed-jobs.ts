import { Queue } from 'bullmq';
import { connection } from './redis';

/** Dead letter queue, for jobs that failed for good. */
export const failedJobs = new Queue('dead-letter-queue', { connection });
