import type { Worker } from 'bullmq';
import { log } from '@boxoffice/observability';

type Cleanup = () => Promise<unknown>;

/** On SIGTERM and SIGINT: lets running jobs finish, then closes the rest and exits. */
export function closeOnSignals(workers: Worker[], ...cleanups: Cleanup[]): void {
  let closing = false;

  const shutdown = async (signal: NodeJS.Signals): Promise<void> => {
    if (closing) return;
    closing = true;
    log.info({ signal, workers: workers.map((worker) => worker.name) }, 'shutting down');
    await Promise.all(workers.map((worker) => worker.close()));
    for (const cleanup of cleanups) await cleanup();
    process.exit(0);
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      shutdown(signal).catch((error) => {
        log.error({ err: error }, 'shutdown failed');
        process.exit(1);
      });
    });
  }
}

/** A rejection that nobody handles is a bug: it is logged, and the process lives on. */
export function logRejections(): void {
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unhandled rejection'));
}
