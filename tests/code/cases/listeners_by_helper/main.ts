import { QueueEvents, Worker } from 'bullmq';
import { attach } from './attach';

export const heard = attach(new Worker('heard', async () => undefined)); // expect: worker queue=heard listeners=error,stalled
export const deaf = new Worker('deaf', async () => undefined); // expect: worker queue=deaf listeners=
new QueueEvents('heard').on('stalled', () => undefined);
