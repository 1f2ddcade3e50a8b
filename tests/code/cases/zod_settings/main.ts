import { Queue, Worker } from 'bullmq';
import { env } from './env';

new Queue(env.NAME).add('x', {}, { attempts: env.ATTEMPTS }); // expect: producer queue=settings attempts=6
new Worker(env.NAME, async () => undefined, { concurrency: env.CONCURRENCY }); // expect: worker queue=settings concurrency=8
