import { Queue, type DefaultJobOptions } from 'bullmq';
import { producerConnection as connection } from './lib/connection.js';
import { log } from './lib/log.js';

const kept = {
  removeOnComplete: { count: 1000, age: 86_400 },
  removeOnFail: { count: 5000 },
} satisfies DefaultJobOptions;

export const payments = new Queue('payment-processing', {
  connection,
  defaultJobOptions: { ...kept, attempts: 3, backoff: { type: 'exponential', delay: 2000, jitter: 0.5 } },
});

// refunds are rare, the defaults will do
export const refunds = new Queue('refunds', { connection });

export const mints = new Queue('nft-mint', {
  connection,
  defaultJobOptions: { ...kept, attempts: 8, backoff: { type: 'exponential', delay: 5000 } },
});

export const transfers = new Queue('ticket-transfer', {
  connection,
  defaultJobOptions: { ...kept, attempts: 5, backoff: { type: 'exponential', delay: 2000 } },
});

export const mails = new Queue('email-notifications', {
  connection,
  defaultJobOptions: { ...kept, attempts: 5, backoff: { type: 'exponential', delay: 1000 } },
});

export const analytics = new Queue('analytics-events', {
  connection,
  defaultJobOptions: { attempts: 3 },
});

export const cleanup = new Queue('cleanup', { connection });

export const deadLetters = new Queue('dead-letter', {
  connection,
  defaultJobOptions: { removeOnComplete: false, removeOnFail: false },
});

export const allQueues = [payments, refunds, mints, transfers, mails, analytics, cleanup, deadLetters];

for (const queue of allQueues) {
  queue.on('error', (error) => log.error({ error, queue: queue.name }, 'queue error'));
}
