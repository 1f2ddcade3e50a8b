import { Redis } from 'ioredis';

const url = process.env.REDIS_URL ?? 'redis://redis:6379';
const retryStrategy = (times: number): number => Math.min(500 * 2 ** times, 20_000);

/** Workers wait for Redis as long as it takes. */
export const workerConnection = new Redis(url, { maxRetriesPerRequest: null, retryStrategy });

/** Producers stand in HTTP requests: they fail fast. */
export const producerConnection = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false, retryStrategy });
