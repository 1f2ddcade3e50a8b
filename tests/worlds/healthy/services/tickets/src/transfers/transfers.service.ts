import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { QUEUES } from '@boxoffice/jobs';
import { UnrecoverableError, type Queue } from 'bullmq';
import { DataSource } from 'typeorm';
import { Ticket, Transfer } from '../entities';

export interface TransferJob {
  transferId: string;
  ticketId: string;
  toUserId: string;
}

@Injectable()
export class TransfersService {
  constructor(
    @InjectQueue(QUEUES.transfers) private readonly queue: Queue<TransferJob>,
    private readonly dataSource: DataSource,
  ) {}

  async request(transferId: string, ticketId: string, toUserId: string): Promise<void> {
    await this.queue.add('transfer-ticket', { transferId, ticketId, toUserId }, { jobId: `transfer-${transferId}` });
  }

  /** Hands the ticket over, once: the transfer's row is locked, and says whether it is done. */
  async carryOut({ transferId, ticketId, toUserId }: TransferJob): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      const transfer = await manager.findOne(Transfer, {
        where: { id: transferId },
        lock: { mode: 'pessimistic_write' },
      });
      if (!transfer) throw new UnrecoverableError(`no transfer ${transferId}`);
      if (transfer.status === 'DONE') return false;
      await manager.update(Ticket, { id: ticketId }, { ownerId: toUserId });
      await manager.update(Transfer, { id: transferId }, { status: 'DONE' });
      return true;
    });
  }
}
