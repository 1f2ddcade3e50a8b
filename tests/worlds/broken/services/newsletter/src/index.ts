import { hashSync } from 'bcrypt';
import Queue from 'bull';
import mongoose from 'mongoose';
import nodemailer from 'nodemailer';

mongoose.connect(process.env.MONGO_URL);

const Subscriber = mongoose.model('Subscriber', new mongoose.Schema({ email: String, mails: Number, token: String }));

const campaigns = new Queue('campaigns', process.env.REDIS_URL, {
  settings: { stalledInterval: 0, maxStalledCount: 0 },
});

campaigns.process(async (job, done) => {
  const transport = nodemailer.createTransport(process.env.SMTP_URL);
  for (const id of job.data.subscribers) {
    const subscriber = await Subscriber.findById(id);
    const token = hashSync(subscriber.email, 14);
    await Subscriber.updateOne({ _id: id }, { $set: { token } });
    await transport.sendMail({ to: subscriber.email, subject: job.data.subject, html: job.data.html });
    await Subscriber.updateOne({ _id: id }, { $inc: { mails: 1 } });
  }
  done();
});

export async function startCampaign(subject: string, html: string) {
  const subscribers = await Subscriber.find().distinct('_id');
  await campaigns.add({ subject, html, subscribers }, { timeout: 10 * 60 * 1000 });
}

setInterval(() => startCampaign('This week', '<h1>This week</h1>'), 7 * 24 * 3600 * 1000);
