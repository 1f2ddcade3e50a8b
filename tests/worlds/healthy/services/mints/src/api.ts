import { logRejections } from '@boxoffice/jobs';
import { log, startOpsServer } from '@boxoffice/observability';
import express from 'express';
import { z } from 'zod';
import { MintRequest } from './mint-request.js';
import { PRIORITY, batchQueue, mintQueues } from './queues.js';

logRejections();

const Chain = z.enum(['evm', 'solana']);
const Batch = z.object({ batchId: z.string().uuid(), chain: Chain });
const app = express();
app.use(express.json({ limit: '512kb' }));

/** A holder asks for their ticket. */
app.post('/v1/mints/:chain', async (request, response, next) => {
  try {
    const mint = MintRequest.parse(request.body);
    const queue = mintQueues[Chain.parse(request.params.chain)];
    await queue.add('mint-ticket', mint, { jobId: `mint-${mint.mintRequestId}`, priority: PRIORITY.user });
    response.status(202).json({ mintRequestId: mint.mintRequestId });
  } catch (error) {
    next(error);
  }
});

/** An organiser mints the tickets of a whole event. */
app.post('/v1/batches', async (request, response, next) => {
  try {
    const { batchId, chain } = Batch.parse(request.body);
    await batchQueue.add('fan-out', { batchId, chain }, { jobId: `batch-${batchId}` });
    response.status(202).json({ batchId });
  } catch (error) {
    next(error);
  }
});

const server = app.listen(Number(process.env.PORT ?? 3000), () => log.info('mints api listens'));
startOpsServer({ ready: () => server.listening });
process.once('SIGTERM', () => server.close());
