import { connection } from '@boxoffice/shared';
import { Queue } from 'bullmq';

const evm = new Queue('nft-mint-evm', { connection });
const solana = new Queue('nft-mint-solana', { connection });

export function enqueueMint(chain: string, ticket: any) {
  const queue = chain === 'solana' ? solana : evm;
  return queue.add('mint', {
    ticketId: ticket.id,
    recipient: ticket.owner,
    seats: new Set(ticket.seats),
    privateKey: process.env.MINTER_KEY,
  }, { attempts: 3 });
}

export function enqueueMints(tickets: any[]) {
  return evm.add('mint-batch', { tickets }, { attempts: 3, jobId: `batch-${Math.random()}` });
}
