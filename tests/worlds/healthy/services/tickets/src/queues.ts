import type { RegisterQueueOptions } from '@nestjs/bullmq';
import { QUEUES, databaseJob } from '@boxoffice/jobs';

export const QUEUE_OPTIONS = [
  { name: QUEUES.transfers, defaultJobOptions: { ...databaseJob, attempts: 5 } },
  { name: QUEUES.qrCodes, defaultJobOptions: databaseJob },
  { name: QUEUES.housekeeping, defaultJobOptions: databaseJob },
] satisfies RegisterQueueOptions[];
