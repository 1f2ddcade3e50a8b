import { Worker, type Job } from 'bullmq';
import { QUEUES, createQueue, paymentJob, supervise, withDeadline, workerConnection } from '@boxoffice/jobs';
import { log } from '@boxoffice/observability';
import { pool } from './db.js';
import { stripe } from './stripe.js';

const queue = createQueue(QUEUES.settlement, paymentJob);

/** Every night: what Stripe paid out against what the orders say. */
export async function scheduleSettlement(): Promise<void> {
  await queue.upsertJobScheduler(
    'settlement-reconciliation',
    { pattern: '15 3 * * *', tz: 'UTC' },
    { name: 'reconcile-payouts', data: {}, opts: paymentJob },
  );
}

async function reconcile(job: Job): Promise<void> {
  const payouts = await stripe.payouts.list({ status: 'paid', limit: 10 });
  for (const payout of payouts.data) {
    const transactions = await stripe.balanceTransactions.list({ payout: payout.id, limit: 100 });
    const total = transactions.data
      .filter((transaction) => transaction.type === 'charge')
      .reduce((sum, transaction) => sum + transaction.net, 0);
    const matches = total === payout.amount;
    await pool.query(
      `INSERT INTO settlements (payout_id, expected, found, matches) VALUES ($1, $2, $3, $4)
       ON CONFLICT (payout_id) DO UPDATE SET expected = $2, found = $3, matches = $4`,
      [payout.id, payout.amount, total, matches],
    );
    if (!matches) log.error({ jobId: job.id, payoutId: payout.id }, 'payout does not match its charges');
  }
}

export function startSettlement(): Worker {
  return supervise(
    new Worker(QUEUES.settlement, (job) => withDeadline(75_000, () => reconcile(job)), {
      connection: workerConnection(),
      concurrency: 1,
    }),
  );
}
