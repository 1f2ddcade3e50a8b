import { Queue } from 'bullmq';

const queue = new Queue('vary');

export function put(urgent: boolean) {
  queue.add('x', {}, { priority: urgent ? 1 : 10, attempts: process.env.NODE_ENV === 'production' ? 5 : 1 }); // expect: producer priority=varies attempts=varies
  const options: { attempts: number; jobId?: string } = { attempts: 2 };
  if (urgent) options.jobId = 'fixed';
  queue.add('y', {}, options); // expect: producer attempts=2 jobId=varies
}
