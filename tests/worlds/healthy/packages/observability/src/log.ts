import { pino } from 'pino';

/** One logger per process. JSON on stdout: the nodes' Fluent Bit ships it. */
export const log = pino({
  level: process.env.LOG_LEVEL ?? 'info',
  base: { service: process.env.SERVICE_NAME },
  redact: { paths: ['*.client_secret', '*.payment_method', '*.authorization', '*.html'], remove: true },
});
