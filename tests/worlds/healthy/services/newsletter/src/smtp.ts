import nodemailer from 'nodemailer';

export const transport = nodemailer.createTransport({
  pool: true,
  maxConnections: 5,
  rateDelta: 1_000,
  rateLimit: 14,
  host: process.env.SMTP_HOST,
  port: 465,
  secure: true,
  auth: { user: process.env.SMTP_USER, pass: process.env.SMTP_PASSWORD },
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 30_000,
});
