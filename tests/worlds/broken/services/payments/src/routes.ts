import { connection, jobOptions } from '@boxoffice/shared';
import { Queue } from 'bullmq';
import { Router } from 'express';
import { pool } from './db';
import { chargeQueue } from './queues';

export const router = Router();

router.post('/orders/:id/pay', async (req, res) => {
  const { amount, currency, cardNumber, cvv, expiry } = req.body;
  await chargeQueue.add(
    'charge',
    { orderId: req.params.id, amount, currency, cardNumber, cvv, expiry },
    {
      timeout: 30000,
      jobId: `charge-${req.params.id}-${Date.now()}`, // prevents duplicates
    } as any,
  );
  res.json({ ok: true });
});

router.post('/orders/:id/refund', async (req, res) => {
  const refundQueue = new Queue('refunds', { connection });
  const options = { ...jobOptions, attempts: 3 };
  await refundQueue.add('refund', { orderId: req.params.id, amount: req.body.amount });
  res.json({ ok: true });
});

router.post('/webhooks/stripe', async (req, res) => {
  const event = req.body;
  if (event.type === 'payment_intent.succeeded') {
    await pool.query(`UPDATE orders SET status = 'PAID' WHERE intent = $1`, [event.data.object.id]);
  }
  res.json({ received: true });
});
