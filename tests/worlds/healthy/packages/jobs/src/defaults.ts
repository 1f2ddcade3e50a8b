import type { JobsOptions } from 'bullmq';

const DAY = 24 * 60 * 60; // seconds

/** What every job keeps: a day of completed jobs, two weeks of failed ones. */
const retention = {
  removeOnComplete: { age: DAY, count: 10_000 },
  removeOnFail: { age: 14 * DAY, count: 50_000 },
  sizeLimit: 64 * 1024,
} satisfies JobsOptions;

export const paymentJob: JobsOptions = {
  ...retention,
  attempts: 3,
  backoff: { type: 'exponential', delay: 2_000, jitter: 0.5 },
};

export const mintJob: JobsOptions = {
  ...retention,
  attempts: Number(process.env.MINT_ATTEMPTS ?? 8),
  backoff: { type: 'exponential', delay: 5_000, jitter: 0.3 },
};

export const mailJob: JobsOptions = {
  ...retention,
  attempts: 5,
  backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
};

export const databaseJob: JobsOptions = {
  ...retention,
  attempts: 3,
  backoff: { type: 'fixed', delay: 500 },
};
