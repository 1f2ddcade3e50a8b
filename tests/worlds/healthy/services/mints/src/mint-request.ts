import { z } from 'zod';

export const MintRequest = z.object({
  mintRequestId: z.string().uuid(),
  ticketId: z.string().uuid(),
  userId: z.string().uuid(),
  recipient: z.string().min(32).max(44),
  name: z.string().max(32),
  imageUri: z.string().startsWith('ipfs://'),
});
export type MintRequest = z.infer<typeof MintRequest>;

export interface MintBatch {
  batchId: string;
  chain: 'evm' | 'solana';
  /** The last ticket that was fanned out: where a second run goes on. */
  after?: string;
}
