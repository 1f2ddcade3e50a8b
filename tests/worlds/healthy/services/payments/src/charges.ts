import { UnrecoverableError, Worker, type Job } from 'bullmq';
import { QUEUES, enqueueMail, supervise, withDeadline, workerConnection } from '@boxoffice/jobs';
import { log } from '@boxoffice/observability';
import type Stripe from 'stripe';
import { z } from 'zod';
import { withOrderLock } from './lock.js';
import { markPayment, openPayment, type PaymentStatus } from './payments.repository.js';
import { isFatal, stripe } from './stripe.js';

export const ChargeRequest = z.object({
  orderId: z.string().uuid(),
  userId: z.string().uuid(),
  customerId: z.string().startsWith('cus_'),
  paymentMethodId: z.string().startsWith('pm_'),
  /** In the currency's minor unit. */
  amount: z.number().int().positive().max(2_000_000),
  currency: z.enum(['eur', 'usd', 'gbp']),
});
export type ChargeRequest = z.infer<typeof ChargeRequest>;

const SETTLED: PaymentStatus[] = ['PAID', 'DECLINED', 'REJECTED'];

async function charge(job: Job<ChargeRequest>): Promise<{ status: PaymentStatus }> {
  const parsed = ChargeRequest.safeParse(job.data);
  if (!parsed.success) throw new UnrecoverableError(`not a charge: ${parsed.error.message}`);
  const request = parsed.data;
  const logger = log.child({ jobId: job.id, orderId: request.orderId, attempt: job.attemptsMade + 1 });

  return withOrderLock(request.orderId, async () => {
    const payment = await openPayment(request);
    if (SETTLED.includes(payment.status)) {
      logger.info({ status: payment.status }, 'payment is settled already');
      return { status: payment.status };
    }
    try {
      return { status: await authorizeAndCapture(request) };
    } catch (error) {
      if (!isFatal(error)) throw error; // connection, rate limit and API errors: another attempt may do
      logger.warn({ code: error.code, declineCode: error.decline_code }, 'payment declined');
      await markPayment(request.orderId, 'DECLINED');
      await tellCustomer(request, error.decline_code ?? 'declined');
      throw new UnrecoverableError(`declined: ${error.code}`);
    }
  });
}

async function authorizeAndCapture(request: ChargeRequest): Promise<PaymentStatus> {
  const { orderId } = request;
  const intent = await stripe.paymentIntents.create(
    {
      amount: request.amount,
      currency: request.currency,
      customer: request.customerId,
      payment_method: request.paymentMethodId,
      capture_method: 'manual',
      confirm: true,
      expand: ['latest_charge'],
      metadata: { orderId },
    },
    { idempotencyKey: `charge-${orderId}` },
  );
  await markPayment(orderId, 'AUTHORIZED', intent.id);

  const outcome = (intent.latest_charge as Stripe.Charge | null)?.outcome;
  if (outcome?.risk_level === 'highest' || outcome?.type === 'manual_review') {
    await stripe.paymentIntents.cancel(
      intent.id,
      { cancellation_reason: 'fraudulent' },
      { idempotencyKey: `cancel-${orderId}` },
    );
    await markPayment(orderId, 'REJECTED');
    await tellCustomer(request, 'rejected');
    return 'REJECTED';
  }

  await stripe.paymentIntents.capture(intent.id, {}, { idempotencyKey: `capture-${orderId}` });
  await markPayment(orderId, 'PAID');
  return 'PAID';
}

function tellCustomer({ orderId, userId }: ChargeRequest, reason: string): Promise<void> {
  return enqueueMail({
    notificationId: `payment-failed-${orderId}`,
    userId,
    template: 'payment-failed',
    params: { orderId, reason },
  });
}

export function startCharges(): Worker {
  return supervise(
    new Worker<ChargeRequest>(QUEUES.charges, (job) => withDeadline(75_000, () => charge(job)), {
      connection: workerConnection(),
      concurrency: 10,
      lockDuration: 60_000,
      stalledInterval: 30_000,
      maxStalledCount: 1,
    }),
  );
}
