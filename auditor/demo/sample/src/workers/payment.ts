import { Worker, UnrecoverableError, type Job } from 'bullmq';
import Stripe from 'stripe';
import { workerConnection as connection } from '../lib/connection.js';
import { pool } from '../lib/db.js';
import { log } from '../lib/log.js';
import { Charge } from '../producers.js';
import { supervise } from './dead-letter.js';

const stripe = new Stripe(process.env.STRIPE_SECRET_KEY ?? '', { timeout: 20_000, maxNetworkRetries: 2 });

async function charge(job: Job): Promise<{ status: string }> {
  const jobLog = log.child({ jobId: job.id, queue: job.queueName, attempt: job.attemptsMade });
  const parsed = Charge.safeParse(job.data);
  if (!parsed.success) throw new UnrecoverableError(parsed.error.message);
  const { orderId, amount, currency, paymentMethodId } = parsed.data;

  // one charge per order: the unique order_id decides who may go on
  const claim = await pool.query(
    `INSERT INTO payments (order_id, status, amount, currency) VALUES ($1, 'PROCESSING', $2, $3)
     ON CONFLICT (order_id) DO NOTHING RETURNING id`,
    [orderId, amount, currency],
  );
  if (claim.rowCount === 0) {
    const prior = await pool.query(`SELECT status FROM payments WHERE order_id = $1`, [orderId]);
    if (prior.rows[0].status === 'PAID') return { status: 'PAID' };
  }

  try {
    const intent = await stripe.paymentIntents.create(
      { amount, currency, payment_method: paymentMethodId, confirm: true, metadata: { orderId } },
      { idempotencyKey: `charge-${orderId}` },
    );
    await pool.query(`UPDATE payments SET status = 'PAID', provider_id = $2 WHERE order_id = $1`, [orderId, intent.id]);
    jobLog.info({ orderId, paymentIntent: intent.id, status: intent.status }, 'charged');
    return { status: 'PAID' };
  } catch (error) {
    if (error instanceof Stripe.errors.StripeCardError || error instanceof Stripe.errors.StripeInvalidRequestError) {
      await pool.query(`UPDATE payments SET status = 'FAILED' WHERE order_id = $1`, [orderId]);
      throw new UnrecoverableError(error.code ?? error.message);
    }
    throw error;
  }
}

async function refund(job: Job): Promise<void> {
  const { orderId, amount } = job.data;
  const payment = await pool.query(`SELECT provider_id FROM payments WHERE order_id = $1`, [orderId]);
  await stripe.refunds.create({ payment_intent: payment.rows[0].provider_id, amount });
  await pool.query(`UPDATE accounts SET refunded = refunded + $2 WHERE order_id = $1`, [orderId, amount]);
}

export const paymentWorker = supervise(
  new Worker('payment-processing', charge, { connection, concurrency: 10, maxStalledCount: 1, name: 'payment-processing-1' }),
);

export const refundWorker = supervise(new Worker('refunds', refund, { connection, concurrency: 5 }));
