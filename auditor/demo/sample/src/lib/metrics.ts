import { collectDefaultMetrics, Counter, Gauge, Histogram, register } from 'prom-client';
import { allQueues } from '../queues.js';

collectDefaultMetrics();

export const jobDuration = new Histogram({
  name: 'ticket_job_duration_seconds',
  help: 'How long jobs run',
  labelNames: ['queue', 'job'],
  buckets: [0.1, 0.5, 1, 5, 15, 60, 180],
});

export const jobsFailed = new Counter({
  name: 'ticket_jobs_failed_total',
  help: 'Jobs whose attempts are used up',
  labelNames: ['queue', 'job'],
});

const queueJobs = new Gauge({
  name: 'ticket_queue_jobs',
  help: 'Jobs per queue and state',
  labelNames: ['queue', 'state'],
});

/** The text that GET /metrics serves. */
export async function metricsPage(): Promise<string> {
  for (const queue of allQueues) {
    const counts = await queue.getJobCounts('waiting', 'prioritized', 'active', 'delayed', 'failed');
    for (const [state, count] of Object.entries(counts)) {
      queueJobs.set({ queue: queue.name, state }, count);
    }
  }
  return register.metrics();
}
