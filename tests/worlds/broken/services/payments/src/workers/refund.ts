import { randomUUID } from 'crypto';
import { connection } from '@boxoffice/shared';
import { Job, Worker } from 'bullmq';
import Stripe from 'stripe';
import { pool } from '../db';

const stripe = new Stripe(process.env.STRIPE_KEY);

export const refundWorker = new Worker(
  'refunds',
  async (job: Job) => {
    try {
      const client = await pool.connect();
      const payment = await client.query('SELECT intent FROM payments WHERE order_id = $1', [job.data.orderId]);
      await stripe.refunds.create(
        { payment_intent: payment.rows[0].intent, amount: job.data.amount },
        { idempotencyKey: randomUUID() },
      );
      await client.query(`UPDATE payments SET refunded = refunded + $2 WHERE order_id = $1`, [
        job.data.orderId,
        job.data.amount,
      ]);
      client.release();
    } catch (error) {
      console.log('refund failed', error);
    }
  },
  { connection },
);
