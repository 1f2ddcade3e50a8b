import { QUEUES, createQueue, mintJob } from '@boxoffice/jobs';
import type { MintBatch, MintRequest } from './mint-request.js';

export const mintQueues = {
  evm: createQueue<MintRequest>(QUEUES.evmMints, mintJob),
  solana: createQueue<MintRequest>(QUEUES.solanaMints, mintJob),
};

export const batchQueue = createQueue<MintBatch>(QUEUES.mintBatches, mintJob);

/** Somebody who stands at the gate goes ahead of an organiser's thousand tickets. */
export const PRIORITY = { user: 2, batch: 50 } as const;
