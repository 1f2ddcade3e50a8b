import { Worker, type Job } from 'bullmq';
import { workerConnection as connection } from '../lib/connection.js';
import { supervise } from './dead-letter.js';

async function deliver(job: Job): Promise<void> {
  await fetch('https://collector.tickets.example/v1/events', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(job.data),
  });
}

export const analyticsWorker = supervise(new Worker('analytics-events', deliver, { connection, concurrency: 25, name: 'analytics-events-1' }));
