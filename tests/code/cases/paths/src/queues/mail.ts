import { Queue } from 'bullmq';

export const mail = new Queue('mail');
