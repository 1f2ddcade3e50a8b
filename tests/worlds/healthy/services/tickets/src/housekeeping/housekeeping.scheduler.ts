import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { QUEUES, databaseJob } from '@boxoffice/jobs';
import type { Queue } from 'bullmq';

@Injectable()
export class HousekeepingScheduler implements OnApplicationBootstrap {
  constructor(@InjectQueue(QUEUES.housekeeping) private readonly queue: Queue) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.queue.upsertJobScheduler(
      'expire-reservations',
      { every: 60_000 },
      { name: 'expire-reservations', data: {}, opts: databaseJob },
    );
  }
}
