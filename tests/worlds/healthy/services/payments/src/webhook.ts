import type { FastifyInstance } from 'fastify';
import type Stripe from 'stripe';
import { pool } from './db.js';
import { markPayment } from './payments.repository.js';
import { stripe } from './stripe.js';

/** Stripe's own word on a payment wins over ours: a charge whose answer we lost is settled here. */
export async function stripeWebhook(app: FastifyInstance): Promise<void> {
  app.post('/webhooks/stripe', { config: { rawBody: true } }, async (request, reply) => {
    let event: Stripe.Event;
    try {
      event = stripe.webhooks.constructEvent(
        request.rawBody!,
        request.headers['stripe-signature']!,
        process.env.STRIPE_WEBHOOK_SECRET!,
      );
    } catch {
      return reply.code(400).send({ error: 'bad signature' });
    }

    switch (event.type) {
      case 'payment_intent.succeeded':
        await markPayment(event.data.object.metadata.orderId, 'PAID', event.data.object.id);
        break;
      case 'payment_intent.payment_failed':
        await markPayment(event.data.object.metadata.orderId, 'DECLINED', event.data.object.id);
        break;
      case 'charge.dispute.created':
        await pool.query(`UPDATE payments SET disputed_at = now() WHERE intent_id = $1`, [
          event.data.object.payment_intent,
        ]);
        break;
    }
    return { received: true };
  });
}
