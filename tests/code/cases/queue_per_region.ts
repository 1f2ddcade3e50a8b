// A queue for each region: its name is known in part, and that part ties its jobs to its worker.
import { Queue, Worker } from 'bullmq';
import nodemailer from 'nodemailer';

const transport = nodemailer.createTransport({ host: 'smtp', connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 10_000 });
const queues = new Map<string, Queue>();

function open(region: string, suffix: string) {
  const name = `${region}-${suffix}`;
  queues.set(region, new Queue(name, { connection: {} }));
  new Worker(name, async (job) => { await transport.sendMail(job.data); }, { connection: {} }); // expect: worker queue=? kind=email
}

export function start(regions: string[]) {
  for (const region of regions) open(region, 'outgoing');
}

export async function send(region: string, to: string) {
  await queues.get(region)!.add('one', { to }); // expect: producer queue=? kind=email
}

const other = new Queue(`${process.argv[2]}-${process.argv[3]}`, { connection: {} });
other.add('two', {}); // expect: producer queue=? kind=other
start(process.argv.slice(4));
send('eu', 'a@example.com');
