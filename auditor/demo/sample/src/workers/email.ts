import { readFileSync } from 'node:fs';
import { Worker, type Job } from 'bullmq';
import Handlebars from 'handlebars';
import nodemailer from 'nodemailer';
import { workerConnection as connection } from '../lib/connection.js';
import { pool } from '../lib/db.js';

const transport = nodemailer.createTransport({
  host: process.env.SMTP_HOST,
  port: 465,
  secure: true,
  auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASSWORD },
});

async function send(job: Job): Promise<void> {
  const { userId, template } = job.data;
  const user = await pool.query(`SELECT email, name FROM users WHERE id = $1`, [userId]);
  const source = readFileSync(`templates/${template}.hbs`, 'utf8');
  const html = Handlebars.compile(source)(user.rows[0]);
  console.log(`sending to ${user.rows[0].email}: ${html}`);
  await transport.sendMail({ to: user.rows[0].email, subject: 'Your tickets', html });
}

export const mailWorker = new Worker('email-notifications', send, { connection, concurrency: 200, name: 'email-notifications-1' });
