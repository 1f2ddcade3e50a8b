import { QUEUES, closeOnSignals, logRejections, supervise, withDeadline, workerConnection } from '@boxoffice/jobs';
import { startOpsServer } from '@boxoffice/observability';
import { Worker } from 'bullmq';
import pTimeout from 'p-timeout';
import { fanOut } from './batches.js';
import { createEvmMinter, createSolanaMinter } from './container.js';
import { prisma } from './database.js';
import { recordFailure } from './failures.js';

logRejections();

const connection = workerConnection();
const evm = createEvmMinter();
const solana = createSolanaMinter();

const workers = [
  // one wallet, one nonce: one at a time
  new Worker(QUEUES.evmMints, (job, token) => pTimeout(evm.mint(job, token), { milliseconds: 280_000 }), {
    connection,
    concurrency: 1,
    lockDuration: 60_000,
  }),
  new Worker(QUEUES.solanaMints, (job, token) => withDeadline(200_000, () => solana.mint(job, token)), {
    connection,
    concurrency: 8,
    limiter: { max: 20, duration: 1_000 },
  }),
  new Worker(QUEUES.mintBatches, (job) => withDeadline(120_000, () => fanOut(job, prisma)), {
    connection,
    concurrency: 2,
  }),
];

for (const worker of workers) {
  supervise(worker);
  worker.on('failed', recordFailure);
}

startOpsServer({ ready: () => workers.every((worker) => worker.isRunning()) });
closeOnSignals(workers, () => prisma.$disconnect());
