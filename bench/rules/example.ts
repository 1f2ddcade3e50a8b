import { Queue, Worker, QueueEvents, FlowProducer } from 'bullmq';
import Bull from 'bull';
export const q = new Queue('m', { prefix: 'x' });
const b = new Bull('m');
const e = new QueueEvents('m');
const f = new FlowProducer();
q.add('x', { a: 1 });
await q.add('x', { a: 1 }, { delay: 1 });
await q.add('x', { a: 1 }, { jobId: `x-${Date.now()}` });
await q.add('x', { a: 1 }, { jobId: randomUUID() });
await q.add('x', { a: 1 }, { attempts: 1, backoff: { type: 'fixed', delay: 1 }, repeat: { every: 1 } });
await q.addBulk([]);
await q.upsertJobScheduler('x', {});
const w = new Worker('m', async (job) => {
  try { await stripe.paymentIntents.create({ amount: 1 }); } catch (error) { console.error(error); }
  await fetch('https://x', { method: 'POST' });
}, { connection });
w.close();
await w.close(true);
process.on('SIGTERM', () => process.exit(0));
process.on('unhandledRejection', () => {});
b.process(async () => {});
const r = new Redis({ host: 'h' });
r.keys('*');
BullModule.registerQueue({ name: 'm' });
@Processor('m')
export class P extends WorkerHost {
  constructor(private readonly a: A, @InjectQueue('m') private readonly queue: Queue) { super(); }
  @Process('x')
  async run(job: Job) {}
  @OnWorkerEvent('failed')
  onFailed() {}
}
