import { connection, failedJobs } from '@boxoffice/shared';
import { Gauge, Histogram } from 'prom-client';
import { chargeQueue } from './queues';

const waiting = new Gauge({ name: 'boxoffice_queue_waiting', help: 'waiting jobs', labelNames: ['queue'] });
const active = new Gauge({ name: 'boxoffice_queue_active', help: 'active jobs', labelNames: ['queue'] });
const failed = new Gauge({ name: 'boxoffice_queue_failed', help: 'failed jobs', labelNames: ['queue'] });
const deadLetters = new Gauge({ name: 'boxoffice_dead_letter_queue_size', help: 'dead letters' });
const workers = new Gauge({ name: 'boxoffice_queue_workers', help: 'workers', labelNames: ['queue'] });
const redisMemory = new Gauge({ name: 'boxoffice_redis_used_memory_bytes', help: 'used_memory of INFO' });

export const jobDuration = new Histogram({
  name: 'boxoffice_job_duration_seconds',
  help: 'duration of jobs',
  labelNames: ['queue'],
});

export function startMetricsCollection() {
  setInterval(async () => {
    const counts = await chargeQueue.getJobCounts('waiting', 'active', 'failed');
    waiting.set({ queue: 'charges' }, counts.waiting);
    active.set({ queue: 'charges' }, counts.active);
    failed.set({ queue: 'charges' }, counts.failed);
    deadLetters.set(await failedJobs.getWaitingCount());
    workers.set({ queue: 'charges' }, (await chargeQueue.getWorkers()).length);
    const info = await connection.info('memory');
    redisMemory.set(Number(/used_memory:(\d+)/.exec(info)[1]));
  }, 15000);
}
