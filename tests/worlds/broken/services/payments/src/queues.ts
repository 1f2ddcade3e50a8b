import { connection } from '@boxoffice/shared';
import { Queue } from 'bullmq';

export const chargeQueue = new Queue('charges', {
  connection,
  defaultJobOptions: {
    attempts: 25,
    removeOnFail: true,
  },
});
