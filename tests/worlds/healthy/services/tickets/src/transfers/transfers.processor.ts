import { InjectQueue, Processor } from '@nestjs/bullmq';
import { QUEUES, enqueueMail } from '@boxoffice/jobs';
import { log } from '@boxoffice/observability';
import type { Job, Queue } from 'bullmq';
import type { QrCodeJob } from '../qr-codes/draw-qr-code';
import { SupervisedHost } from '../supervised-host';
import { TransfersService, type TransferJob } from './transfers.service';

@Processor(QUEUES.transfers, { concurrency: 10 })
export class TransfersProcessor extends SupervisedHost {
  constructor(
    private readonly transfers: TransfersService,
    @InjectQueue(QUEUES.qrCodes) private readonly qrCodes: Queue<QrCodeJob>,
  ) {
    super();
  }

  protected async handle(job: Job<TransferJob>): Promise<void> {
    const { transferId, ticketId, toUserId } = job.data;
    const moved = await this.transfers.carryOut(job.data);
    log.info({ jobId: job.id, transferId, moved }, 'transfer carried out');
    await this.qrCodes.add('draw-qr-code', { ticketId, transferId }, { jobId: `qr-${transferId}`, priority: 5 });
    await enqueueMail({
      notificationId: `ticket-transferred-${transferId}`,
      userId: toUserId,
      template: 'ticket-transferred',
      params: { ticketId },
    });
  }
}
