import { QueueEvents } from 'bullmq';
import { workerConnection as connection } from './lib/connection.js';
import { log } from './lib/log.js';
import { scheduleCleanup } from './producers.js';
import { analyticsWorker } from './workers/analytics.js';
import { mailWorker } from './workers/email.js';
import { cleanupWorker, transferWorker } from './workers/housekeeping.js';
import { mintWorker } from './workers/mint.js';
import { paymentWorker, refundWorker } from './workers/payment.js';

const workers = [paymentWorker, refundWorker, mintWorker, mailWorker, transferWorker, cleanupWorker, analyticsWorker];

const paymentEvents = new QueueEvents('payment-processing', { connection });
paymentEvents.on('stalled', ({ jobId }) => log.error({ jobId }, 'payment stalled'));
paymentEvents.on('error', (error) => log.error({ error }, 'queue events error'));

async function shutdown(): Promise<void> {
  log.info('closing workers');
  await Promise.all(workers.map((worker) => worker.close()));
  await paymentEvents.close();
  process.exit(0);
}

process.on('SIGTERM', shutdown);
process.on('unhandledRejection', (reason) => {
  log.fatal({ reason }, 'unhandled rejection');
  process.exitCode = 1;
  void shutdown();
});

await scheduleCleanup();
log.info({ queues: workers.map((worker) => worker.name) }, 'workers started');
