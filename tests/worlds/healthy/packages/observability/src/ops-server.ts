import { createServer, type Server } from 'node:http';
import { register } from 'prom-client';
import { log } from './log.js';

export interface OpsServerOptions {
  port?: number;
  /** Answers whether this process can do its work; asked by the readiness probe. */
  ready: () => boolean | Promise<boolean>;
}

/** Metrics and probes of a process. Nothing here is reachable from outside the cluster. */
export function startOpsServer({ port = Number(process.env.OPS_PORT ?? 9464), ready }: OpsServerOptions): Server {
  const server = createServer(async (request, response) => {
    switch (request.url) {
      case '/metrics':
        response.setHeader('content-type', register.contentType);
        response.end(await register.metrics());
        return;
      case '/livez':
        response.end('ok');
        return;
      case '/readyz': {
        const isReady = await ready();
        response.statusCode = isReady ? 200 : 503;
        response.end(isReady ? 'ready' : 'not ready');
        return;
      }
      default:
        response.statusCode = 404;
        response.end();
    }
  });
  server.listen(port, () => log.info({ port }, 'ops server listens'));
  return server;
}
