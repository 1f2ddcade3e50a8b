import { JobsOptions, Queue } from 'bullmq';

const queues = { mail: new Queue('mail'), push: new Queue('push') };

export type Name = keyof typeof queues;

export async function enqueue(name: Name, data: unknown, options: JobsOptions = {}) {
  return queues[name].add('job', data, { attempts: 3, ...options }); // expect: producer queue=mail|push attempts=varies
}
