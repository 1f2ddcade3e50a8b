import { logRejections } from '@boxoffice/jobs';
import { log, startOpsServer } from '@boxoffice/observability';
import Fastify from 'fastify';
import rawBody from 'fastify-raw-body';
import { resendWebhook } from './webhook.js';

logRejections();

const app = Fastify({ loggerInstance: log });
await app.register(rawBody, { global: false });
await app.register(resendWebhook);

startOpsServer({ ready: () => app.server.listening });
await app.listen({ host: '0.0.0.0', port: Number(process.env.PORT ?? 3000) });
process.once('SIGTERM', () => void app.close());
