import Redis from 'ioredis';

export const connection = new Redis({
  host: process.env.REDIS_HOST || 'redis',
  port: 6379,
  maxRetriesPerRequest: 3,
  retryStrategy(times) {
    if (times > 3) return null; // don't hammer it
    return 1000;
  },
});
