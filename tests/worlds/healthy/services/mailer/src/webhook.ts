import { log } from '@boxoffice/observability';
import type { FastifyInstance } from 'fastify';
import { Webhook } from 'svix';
import { db } from './db.js';

interface ResendEvent {
  type: 'email.delivered' | 'email.bounced' | 'email.complained';
  data: { email_id: string; to: string[] };
}

/** What Resend tells us later: an address that bounced or complained gets no more mail. */
export async function resendWebhook(app: FastifyInstance): Promise<void> {
  const webhook = new Webhook(process.env.RESEND_WEBHOOK_SECRET!);

  app.post('/webhooks/resend', { config: { rawBody: true } }, async (request, reply) => {
    let event: ResendEvent;
    try {
      event = webhook.verify(request.rawBody!, request.headers as Record<string, string>) as ResendEvent;
    } catch {
      return reply.code(400).send();
    }
    if (event.type === 'email.bounced' || event.type === 'email.complained') {
      await db('users').whereIn('email', event.data.to).update({ suppressed_at: db.fn.now() });
      log.info({ providerId: event.data.email_id, type: event.type }, 'recipient suppressed');
    }
    return reply.code(204).send();
  });
}
