import { Redis, type RedisOptions } from 'ioredis';

function sentinels(): { host: string; port: number }[] {
  const listed = process.env.REDIS_SENTINELS;
  if (!listed) throw new Error('REDIS_SENTINELS is not set');
  return listed.split(',').map((address) => {
    const [host, port] = address.split(':');
    return { host, port: Number(port ?? 26379) };
  });
}

/** How every process of the platform reaches Redis: over TLS, through the sentinels. */
export function redisOptions(): RedisOptions {
  const ca = process.env.REDIS_CA;
  return {
    sentinels: sentinels(),
    name: process.env.REDIS_MASTER_NAME ?? 'boxoffice',
    username: process.env.REDIS_USERNAME,
    password: process.env.REDIS_PASSWORD,
    sentinelPassword: process.env.REDIS_SENTINEL_PASSWORD,
    tls: { ca },
    sentinelTLS: { ca },
    enableTLSForSentinelMode: true,
    connectTimeout: 10_000,
    retryStrategy: (times) => Math.min(100 * 2 ** times, 10_000),
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

let forWorkers: Redis | undefined;
let forProducers: Redis | undefined;

/** Workers wait for Redis as long as it takes. */
export function workerConnection(): Redis {
  forWorkers ??= new Redis({ ...redisOptions(), maxRetriesPerRequest: null });
  return forWorkers;
}

/** Producers stand in requests of people who wait: they fail fast. */
export function producerConnection(): Redis {
  forProducers ??= new Redis({ ...redisOptions(), maxRetriesPerRequest: 3 });
  return forProducers;
}
