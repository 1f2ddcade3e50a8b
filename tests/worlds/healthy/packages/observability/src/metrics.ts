import { Counter, Histogram, collectDefaultMetrics } from 'prom-client';

collectDefaultMetrics();

export const jobDuration = new Histogram({
  name: 'boxoffice_job_duration_seconds',
  help: 'How long one run of a job takes',
  labelNames: ['queue', 'job'],
  buckets: [0.05, 0.1, 0.5, 1, 5, 15, 60, 180, 300],
});

export const jobsCompleted = new Counter({
  name: 'boxoffice_jobs_completed_total',
  help: 'Jobs that completed',
  labelNames: ['queue', 'job'],
});

export const jobsFailed = new Counter({
  name: 'boxoffice_jobs_failed_total',
  help: 'Failed runs of jobs; final ones have used up their attempts',
  labelNames: ['queue', 'job', 'final'],
});

export const jobsStalled = new Counter({
  name: 'boxoffice_jobs_stalled_total',
  help: 'Jobs whose worker lost the lock',
  labelNames: ['queue'],
});
