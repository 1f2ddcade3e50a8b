import { connection } from '@boxoffice/shared';
import axios from 'axios';
import { Job, Worker } from 'bullmq';
import Stripe from 'stripe';
import { pool } from '../db';

const stripe = new Stripe(process.env.STRIPE_KEY);

async function processCharge(job: Job) {
  const { orderId, amount, currency, cardNumber, cvv, expiry } = job.data;
  const order = await pool.query('SELECT * FROM orders WHERE id = $1', [orderId]);

  const method = await stripe.paymentMethods.create({
    type: 'card',
    card: { number: cardNumber, cvc: cvv, exp_month: expiry.month, exp_year: expiry.year },
  });
  const intent = await stripe.paymentIntents.create({
    amount: amount * 100,
    currency,
    payment_method: method.id,
    confirm: true,
  });
  console.log('stripe says', JSON.stringify(intent), intent.client_secret);

  await pool.query(`INSERT INTO payments (order_id, intent, amount) VALUES ($1, $2, $3)`, [orderId, intent.id, amount]);
  await pool.query(`UPDATE organisers SET balance = balance + $2 WHERE id = $1`, [order.rows[0].organiser_id, amount]);
  await axios.post('https://hooks.crm.example/sales', { orderId, amount });
}

export const chargeWorker = new Worker('charges', processCharge, {
  connection,
  concurrency: 300,
  maxStalledCount: 10,
});

chargeWorker.on('failed', (job, error) => {
  console.error('charge failed', error.message);
});
