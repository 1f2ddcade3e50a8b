import { connection } from '@boxoffice/shared';
import { Worker } from 'bullmq';
import http from 'http';
import { sendNewsletter, sendTicket, sendWelcome } from './producer';
import { sendMail } from './send';

export const worker = new Worker('emails', sendMail, { connection });

const handlers = { ticket: sendTicket, welcome: sendWelcome, newsletter: sendNewsletter };

http
  .createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => (body += chunk));
    req.on('end', async () => {
      const { type, args } = JSON.parse(body);
      await handlers[type](...args);
      res.end('ok');
    });
  })
  .listen(3002);

process.on('SIGINT', async () => {
  await worker.close();
  process.exit(0);
});
