import { mailJob } from './defaults.js';
import { QUEUES } from './names.js';
import { createQueue } from './queues.js';

export interface Mail {
  /** Made of what the mail is about, so that the same event is mailed once: `payment-failed-<order>`. */
  notificationId: string;
  userId: string;
  template: 'payment-failed' | 'refund-issued' | 'ticket-minted' | 'ticket-transferred';
  params: Record<string, string | number>;
}

/** Asks the mailer for a transactional mail. */
export async function enqueueMail(mail: Mail): Promise<void> {
  const queue = createQueue<Mail>(QUEUES.mail, mailJob);
  await queue.add(mail.template, mail, { jobId: mail.notificationId, priority: 10 });
}
