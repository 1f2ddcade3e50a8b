import { readFileSync } from 'fs';
import { connection } from '@boxoffice/shared';
import { Queue } from 'bullmq';

const mails = new Queue('emails', {
  connection,
  defaultJobOptions: { attempts: 5, backoff: { type: 'fixed', delay: 50 }, removeOnFail: true },
});

export async function sendTicket(user: any, ticketId: string) {
  const pdf = readFileSync(`/tmp/tickets/${ticketId}.pdf`).toString('base64');
  await mails.add('ticket-confirmation', { to: user.email, ticketId, attachment: pdf });
}

export async function sendWelcome(user: any, password: string) {
  await mails.add('welcome', { to: user.email, name: user.name, password });
}

export async function sendNewsletter(subscribers: any[], html: string) {
  for (const subscriber of subscribers) {
    await mails.add('newsletter', { to: subscriber.email, html });
  }
}
