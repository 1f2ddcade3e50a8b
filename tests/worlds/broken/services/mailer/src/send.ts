import { readFileSync } from 'fs';
import { Job } from 'bullmq';
import Handlebars from 'handlebars';
import nodemailer from 'nodemailer';
import PDFDocument from 'pdfkit';
import { Resend } from 'resend';

const resend = new Resend(process.env.RESEND_KEY);

export async function sendMail(job: Job) {
  const source = readFileSync(`./templates/${job.name}.hbs`, 'utf8');
  const html = Handlebars.compile(source)(job.data);
  console.log(`sending to ${job.data.to}: ${html}`);

  if (job.name === 'newsletter') {
    const transport = nodemailer.createTransport({ host: process.env.SMTP_HOST, port: 25 });
    await transport.sendMail({ to: job.data.to, subject: 'News', html: job.data.html });
    return;
  }

  try {
    const invoice = new PDFDocument();
    invoice.text(html);
    invoice.end();
    await resend.emails.send({
      from: 'tickets@boxoffice.example',
      to: job.data.to,
      subject: 'Your tickets',
      html,
      attachments: [{ filename: 'ticket.pdf', content: job.data.attachment }],
    });
  } catch (error) {
    console.log('mail failed');
  }
}
