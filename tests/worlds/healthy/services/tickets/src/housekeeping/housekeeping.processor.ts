import { Processor } from '@nestjs/bullmq';
import { InjectRepository } from '@nestjs/typeorm';
import { QUEUES } from '@boxoffice/jobs';
import { log } from '@boxoffice/observability';
import type { Job } from 'bullmq';
import { LessThan, type Repository } from 'typeorm';
import { Reservation } from '../entities';
import { SupervisedHost } from '../supervised-host';

@Processor(QUEUES.housekeeping)
export class HousekeepingProcessor extends SupervisedHost {
  constructor(@InjectRepository(Reservation) private readonly reservations: Repository<Reservation>) {
    super();
  }

  protected async handle(job: Job): Promise<void> {
    const { affected } = await this.reservations.update(
      { status: 'OPEN', expiresAt: LessThan(new Date(job.timestamp)) },
      { status: 'EXPIRED' },
    );
    log.info({ jobId: job.id, affected }, 'reservations expired');
  }
}
