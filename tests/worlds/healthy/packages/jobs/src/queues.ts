import { Queue, type JobsOptions } from 'bullmq';
import { log } from '@boxoffice/observability';
import { producerConnection } from './connection.js';
import type { QueueName } from './names.js';
import { trackQueue } from './queue-metrics.js';

const open = new Map<QueueName, Queue>();

/** The process's one object for a queue. The defaults of the first call hold. */
export function createQueue<Data>(name: QueueName, defaultJobOptions: JobsOptions): Queue<Data> {
  const known = open.get(name);
  if (known) return known as Queue<Data>;
  const queue = new Queue<Data>(name, { connection: producerConnection(), defaultJobOptions });
  queue.on('error', (error) => log.error({ queue: name, err: error }, 'queue error'));
  open.set(name, queue);
  trackQueue(queue);
  return queue;
}

export function openQueues(): Queue[] {
  return [...open.values()];
}
