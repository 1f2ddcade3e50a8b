import { UnrecoverableError, Worker, type Job } from 'bullmq';
import { QUEUES, enqueueMail, supervise, withDeadline, workerConnection } from '@boxoffice/jobs';
import { log } from '@boxoffice/observability';
import { z } from 'zod';
import { pool } from './db.js';
import { findPayment } from './payments.repository.js';
import { isFatal, stripe } from './stripe.js';

export const RefundRequest = z.object({
  refundId: z.string().uuid(),
  orderId: z.string().uuid(),
  amount: z.number().int().positive(),
  currency: z.enum(['eur', 'usd', 'gbp']),
});
export type RefundRequest = z.infer<typeof RefundRequest>;

async function refund(job: Job<RefundRequest>): Promise<void> {
  const { success, data, error } = RefundRequest.safeParse(job.data);
  if (!success) throw new UnrecoverableError(`not a refund: ${error.message}`);
  const { refundId, orderId, amount } = data;

  const payment = await findPayment(orderId);
  if (payment?.status !== 'PAID') throw new UnrecoverableError(`order ${orderId} is not paid`);
  if (amount > payment.amount || data.currency !== payment.currency) {
    throw new UnrecoverableError(`refund ${refundId} does not fit its payment`);
  }

  const claimed = await pool.query(
    `INSERT INTO refunds (id, order_id, amount, status) VALUES ($1, $2, $3, 'PROCESSING')
     ON CONFLICT (id) DO NOTHING RETURNING id`,
    [refundId, orderId, amount],
  );
  if (claimed.rowCount === 0) {
    const { rows } = await pool.query('SELECT status FROM refunds WHERE id = $1', [refundId]);
    if (rows[0].status !== 'PROCESSING') return;
  }

  try {
    const issued = await stripe.refunds.create(
      { payment_intent: payment.intentId!, amount, metadata: { refundId, orderId } },
      { idempotencyKey: `refund-${refundId}` },
    );
    await pool.query(`UPDATE refunds SET status = 'ISSUED', provider_id = $2 WHERE id = $1`, [refundId, issued.id]);
    log.info({ jobId: job.id, refundId, providerId: issued.id }, 'refund issued');
  } catch (cause) {
    if (!isFatal(cause)) throw cause;
    await pool.query(`UPDATE refunds SET status = 'REFUSED' WHERE id = $1`, [refundId]);
    await enqueueMail({
      notificationId: `refund-refused-${refundId}`,
      userId: payment.userId,
      template: 'payment-failed',
      params: { orderId, reason: 'refund refused' },
    });
    throw new UnrecoverableError(`refund refused: ${cause.code}`);
  }
  await enqueueMail({
    notificationId: `refund-issued-${refundId}`,
    userId: payment.userId,
    template: 'refund-issued',
    params: { orderId, amount },
  });
}

export function startRefunds(): Worker {
  return supervise(
    new Worker<RefundRequest>(QUEUES.refunds, (job) => withDeadline(60_000, () => refund(job)), {
      connection: workerConnection(),
      concurrency: 5,
    }),
  );
}
