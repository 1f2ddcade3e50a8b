export const QUEUES = {
  charges: 'payment-charges',
  refunds: 'payment-refunds',
  settlement: 'payment-settlement',
  evmMints: 'nft-mint-evm',
  solanaMints: 'nft-mint-solana',
  mintBatches: 'nft-mint-batches',
  mail: 'email-transactional',
  transfers: 'ticket-transfers',
  qrCodes: 'ticket-qr-codes',
  housekeeping: 'housekeeping',
  deadLetters: 'dead-letters',
} as const;

export type QueueName = (typeof QUEUES)[keyof typeof QUEUES];
