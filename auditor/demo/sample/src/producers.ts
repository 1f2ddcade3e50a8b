import { z } from 'zod';
import { analytics, cleanup, mails, mints, payments, refunds, transfers } from './queues.js';

export const Charge = z.object({
  orderId: z.string().min(1),
  amount: z.number().int().positive().max(1_000_000),
  currency: z.enum(['usd', 'eur', 'gbp']),
  paymentMethodId: z.string().startsWith('pm_'),
});
export type Charge = z.infer<typeof Charge>;

export async function requestCharge(charge: Charge): Promise<void> {
  await payments.add('charge', charge, { jobId: `charge-${charge.orderId}`, priority: 1 });
}

export async function requestRefund(refundId: string, orderId: string, amount: number): Promise<void> {
  await refunds.add('refund', { refundId, orderId, amount });
}

export async function requestMint(mintRequestId: string, recipient: string, metadataUri: string): Promise<void> {
  await mints.add('mint', { mintRequestId, recipient, metadataUri }, { jobId: `mint-${mintRequestId}`, priority: 2 });
}

export async function requestBatch(requests: { id: string; recipient: string; metadataUri: string }[]): Promise<void> {
  await mints.addBulk(
    requests.map((request) => ({
      name: 'mint-batch',
      data: { mintRequestId: request.id, recipient: request.recipient, metadataUri: request.metadataUri },
      opts: { jobId: `mint-${request.id}`, priority: 20 },
    })),
  );
}

export async function requestTransfer(transferId: string, ticketId: string, toUserId: string): Promise<void> {
  await transfers.add('transfer', { transferId, ticketId, toUserId }, { jobId: `transfer-${transferId}` });
}

/** The id keeps a ticket from being mailed twice. */
export async function requestTicketMail(userId: string, ticketId: string): Promise<void> {
  await mails.add('ticket-email', { userId, ticketId, template: 'ticket' }, { jobId: `mail-${userId}-${Date.now()}` });
}

export async function requestNewsletter(campaignId: string, userIds: string[]): Promise<void> {
  await mails.addBulk(
    userIds.map((userId) => ({
      name: 'newsletter',
      data: { userId, campaignId, template: 'newsletter' },
      opts: { jobId: `newsletter-${campaignId}-${userId}` },
    })),
  );
}

export async function track(event: string, userId: string): Promise<void> {
  // @ts-expect-error bullmq's types no longer know it
  await analytics.add('track', { event, userId }, { timeout: 5_000 });
}

export async function scheduleCleanup(): Promise<void> {
  await cleanup.upsertJobScheduler('expired-reservations', { pattern: '0 3 * * *', tz: 'UTC' }, { name: 'expire', data: { olderThanHours: 24 } });
}
