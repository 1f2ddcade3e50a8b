import { Queue, type QueueOptions } from 'bullmq';

export const createQueue = (name: string, options: Partial<QueueOptions> = {}) =>
  new Queue(name, { ...options, defaultJobOptions: { attempts: 3, ...options.defaultJobOptions } });
