import { QUEUES, createQueue, paymentJob } from '@boxoffice/jobs';
import type { FastifyInstance } from 'fastify';
import { ChargeRequest } from './charges.js';
import { findPayment } from './payments.repository.js';
import { RefundRequest } from './refunds.js';

const queues = {
  charges: createQueue<ChargeRequest>(QUEUES.charges, paymentJob),
  refunds: createQueue<RefundRequest>(QUEUES.refunds, paymentJob),
};

export async function routes(app: FastifyInstance): Promise<void> {
  app.post('/charges', async (request, reply) => {
    const charge = ChargeRequest.parse(request.body);
    await queues.charges.add('charge-order', charge, { jobId: `charge-${charge.orderId}`, priority: 1 });
    return reply.code(202).send({ orderId: charge.orderId });
  });

  app.post('/refunds', async (request, reply) => {
    const refund = RefundRequest.parse(request.body);
    await queues.refunds.add('refund-order', refund, { jobId: `refund-${refund.refundId}`, priority: 1 });
    return reply.code(202).send({ refundId: refund.refundId });
  });

  app.get<{ Params: { orderId: string } }>('/payments/:orderId', async (request, reply) => {
    const payment = await findPayment(request.params.orderId);
    return payment ?? reply.code(404).send();
  });
}
