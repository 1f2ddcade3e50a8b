import { Queue, Worker } from 'bullmq';

const queue = new Queue(process.env.QUEUE_NAME || 'env-queue');
const attempts = Number(process.env.ATTEMPTS ?? 5);
const concurrency = parseInt(process.env.CONCURRENCY || '7', 10);

queue.add('x', {}, { attempts }); // expect: producer queue=env-queue attempts=5
queue.add('y', {}, { attempts: Number(process.env.NO_DEFAULT) }); // expect: producer queue=env-queue attempts=unknown
new Worker('env-queue', null, { concurrency }); // expect: worker queue=env-queue concurrency=7
