import { withDeadline, type Mail } from '@boxoffice/jobs';
import { log } from '@boxoffice/observability';
import { UnrecoverableError, Worker, type Job } from 'bullmq';
import { Resend } from 'resend';
import { db } from './db.js';
import { render } from './templates.js';

const resend = new Resend(process.env.RESEND_API_KEY);
const FROM = 'Boxoffice <tickets@boxoffice.example>';
const SUBJECTS: Record<Mail['template'], string> = {
  'payment-failed': 'Your payment did not go through',
  'refund-issued': 'Your refund is on its way',
  'ticket-minted': 'Your ticket is minted',
  'ticket-transferred': 'Your ticket has a new holder',
};

/** The processor of the mail queue; `worker` is asked to pause when Resend says that we are too fast. */
export function mailProcessor(worker: () => Worker): (job: Job<Mail>) => Promise<void> {
  async function sendMail(job: Job<Mail>): Promise<void> {
    const { notificationId, userId, template, params } = job.data;
    const logger = log.child({ jobId: job.id, notificationId, template });

    const notification = await db('notifications').where({ id: notificationId }).first();
    if (notification?.sent_at) {
      logger.info('sent already');
      return;
    }

    const user = await db('users').where({ id: userId }).first('email', 'name', 'unsubscribed_at', 'suppressed_at');
    if (!user) throw new UnrecoverableError(`no user ${userId}`);
    if (user.suppressed_at || user.unsubscribed_at) {
      logger.info('recipient takes no mail');
      return;
    }

    const html = await render(template, { ...params, name: user.name });
    const { data, error } = await resend.emails.send(
      {
        from: FROM,
        to: user.email,
        subject: SUBJECTS[template],
        html,
        attachments: params.ticketId
          ? [{ filename: 'ticket.pdf', path: `${process.env.ASSETS_URL}/tickets/${params.ticketId}.pdf` }]
          : [],
        headers: { 'List-Unsubscribe': `<${process.env.PUBLIC_URL}/unsubscribe/${userId}>` },
      },
      { idempotencyKey: `mail-${notificationId}`, signal: AbortSignal.timeout(15_000) },
    );

    if (error?.name === 'rate_limit_exceeded') {
      await worker().rateLimit(5_000);
      throw Worker.RateLimitError();
    }
    if (error?.name === 'validation_error') throw new UnrecoverableError(error.message);
    if (error) throw new Error(`resend: ${error.name}`);

    await db('notifications')
      .insert({ id: notificationId, user_id: userId, template, provider_id: data!.id, sent_at: db.fn.now() })
      .onConflict('id')
      .merge(['provider_id', 'sent_at']);
    logger.info({ providerId: data!.id }, 'sent');
  }

  return (job) => withDeadline(45_000, () => sendMail(job));
}
