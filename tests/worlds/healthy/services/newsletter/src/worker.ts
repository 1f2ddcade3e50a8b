import type { Job } from 'bull';
import { logRejections } from '@boxoffice/jobs';
import { jobDuration, jobsCompleted, jobsFailed, jobsStalled, log, startOpsServer } from '@boxoffice/observability';
import { campaignQueue, undelivered } from './queue';
import { sendCampaignMail } from './send-campaign-mail';
import { closeStore, deliveries } from './store';

logRejections();

const queue = campaignQueue.name;

campaignQueue.process('campaign-mail', 10, sendCampaignMail);

campaignQueue.on('error', (error) => log.error({ queue, err: error }, 'queue error'));
undelivered.on('error', (error) => log.error({ queue: undelivered.name, err: error }, 'queue error'));
campaignQueue.on('stalled', (job: Job) => {
  jobsStalled.inc({ queue });
  log.warn({ queue, jobId: job.id }, 'job stalled');
});
campaignQueue.on('completed', (job: Job) => {
  jobsCompleted.inc({ queue, job: job.name });
  jobDuration.observe({ queue, job: job.name }, (job.finishedOn! - job.processedOn!) / 1000);
});
campaignQueue.on('failed', async (job: Job, error: Error) => {
  const final = job.attemptsMade >= (job.opts.attempts ?? 1);
  jobsFailed.inc({ queue, job: job.name, final: String(final) });
  log.warn({ queue, jobId: job.id, attempt: job.attemptsMade, final, err: error }, 'job failed');
  if (!final) return;
  await deliveries.updateOne(
    { _id: `${job.data.campaignId}/${job.data.subscriberId}` },
    { $set: { status: 'failed', reason: error.message } },
  );
  await undelivered.add('undelivered', {
    queue,
    jobId: job.id,
    name: job.name,
    data: job.data,
    reason: error.message,
    stack: error.stack,
  });
});

startOpsServer({ ready: () => campaignQueue.isReady().then(() => true) });

async function shutdown(signal: string): Promise<void> {
  log.info({ signal }, 'shutting down');
  await campaignQueue.close(); // waits for running jobs
  await undelivered.close();
  await closeStore();
  process.exit(0);
}
process.once('SIGTERM', shutdown);
process.once('SIGINT', shutdown);
