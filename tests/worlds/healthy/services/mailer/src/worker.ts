import { QUEUES, closeOnSignals, logRejections, supervise, workerConnection, type Mail } from '@boxoffice/jobs';
import { startOpsServer } from '@boxoffice/observability';
import { Worker } from 'bullmq';
import { db } from './db.js';
import { mailProcessor } from './send-mail.js';

logRejections();

const worker: Worker<Mail> = new Worker<Mail>(
  QUEUES.mail,
  mailProcessor(() => worker),
  {
    connection: workerConnection(),
    concurrency: 10,
    limiter: { max: 8, duration: 1_000 }, // Resend allows 10 a second
  },
);
supervise(worker);

worker.on('failed', async (job, error) => {
  if (!job || job.attemptsMade < (job.opts.attempts ?? 1)) return;
  await db('failed_mails')
    .insert({ notification_id: job.data.notificationId, template: job.data.template, reason: error.message })
    .onConflict('notification_id')
    .merge();
});

startOpsServer({ ready: () => worker.isRunning() });
closeOnSignals([worker], () => db.destroy());
