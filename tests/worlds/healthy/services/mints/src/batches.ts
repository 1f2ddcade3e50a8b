import type { PrismaClient, Ticket } from '@prisma/client';
import type { BulkJobOptions, Job } from 'bullmq';
import { log } from '@boxoffice/observability';
import type { MintBatch, MintRequest } from './mint-request.js';
import { PRIORITY, mintQueues } from './queues.js';

const PAGE = 200;

/** Turns an organiser's batch into one job per ticket. Their ids make a second run add nothing. */
export async function fanOut(job: Job<MintBatch>, prisma: PrismaClient): Promise<void> {
  const { batchId, chain } = job.data;
  let after = job.data.after;
  for (;;) {
    const tickets = await prisma.ticket.findMany({
      where: { batchId, id: { gt: after } },
      orderBy: { id: 'asc' },
      take: PAGE,
    });
    if (tickets.length === 0) break;
    await mintQueues[chain].addBulk(tickets.map(toMintJob));
    after = tickets[tickets.length - 1].id;
    await job.updateData({ batchId, chain, after });
  }
  log.info({ jobId: job.id, batchId }, 'batch fanned out');
}

function toMintJob(ticket: Ticket): { name: string; data: MintRequest; opts: BulkJobOptions } {
  return {
    name: 'mint-ticket',
    data: {
      mintRequestId: ticket.mintRequestId,
      ticketId: ticket.id,
      userId: ticket.userId,
      recipient: ticket.recipient,
      name: ticket.name,
      imageUri: ticket.imageUri,
    },
    opts: { jobId: `mint-${ticket.mintRequestId}`, priority: PRIORITY.batch },
  };
}
