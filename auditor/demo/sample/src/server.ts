import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import Fastify from 'fastify';
import rawBody from 'fastify-raw-body';
import Stripe from 'stripe';
import { pool } from './lib/db.js';
import { metricsPage } from './lib/metrics.js';
import { Charge, requestCharge, requestMint, requestNewsletter, requestRefund, requestTicketMail, track } from './producers.js';
import { allQueues } from './queues.js';

const stripe = new Stripe(process.env.STRIPE_SECRET_KEY ?? '', { timeout: 20_000 });
const app = Fastify({ logger: true });
await app.register(rawBody, { global: false });

const board = new FastifyAdapter();
board.setBasePath('/admin/queues');
createBullBoard({ queues: allQueues.map((queue) => new BullMQAdapter(queue)), serverAdapter: board });
await app.register(board.registerPlugin(), { prefix: '/admin/queues' });

app.get('/healthz', async () => ({ ok: true }));
app.get('/metrics', async (_request, reply) => reply.type('text/plain').send(await metricsPage()));

app.post('/orders/:id/pay', async (request, reply) => {
  const { id } = request.params as { id: string };
  await requestCharge(Charge.parse({ ...(request.body as object), orderId: id }));
  await track('pay', id);
  return reply.code(202).send();
});

app.post('/orders/:id/refund', async (request, reply) => {
  const { refundId, orderId, amount } = request.body as { refundId: string; orderId: string; amount: number };
  await requestRefund(refundId, orderId, amount);
  return reply.code(202).send();
});

app.post('/campaigns/:id/send', async (request, reply) => {
  const { id } = request.params as { id: string };
  const users = await pool.query(`SELECT id FROM users WHERE email IS NOT NULL`);
  await requestNewsletter(id, users.rows.map((user) => user.id));
  return reply.code(202).send();
});

app.post('/webhooks/stripe', { config: { rawBody: true } }, async (request, reply) => {
  const event = stripe.webhooks.constructEvent(request.rawBody ?? '', request.headers['stripe-signature'] ?? '', process.env.STRIPE_WEBHOOK_SECRET ?? '');
  if (event.type === 'payment_intent.succeeded') {
    const { orderId, userId, ticketId, wallet, metadataUri } = event.data.object.metadata;
    await pool.query(`UPDATE payments SET status = 'PAID', provider_id = $2 WHERE order_id = $1`, [orderId, event.data.object.id]);
    await requestMint(ticketId, wallet, metadataUri);
    await requestTicketMail(userId, ticketId);
  }
  return reply.send({ received: true });
});

await app.listen({ host: '0.0.0.0', port: 3000 });
