import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { redisOptions } from '@boxoffice/jobs';
import { QUEUE_OPTIONS } from './queues';

@Module({
  imports: [
    BullModule.forRootAsync({ useFactory: () => ({ connection: redisOptions() }) }),
    BullModule.registerQueue(...QUEUE_OPTIONS),
  ],
  exports: [BullModule],
})
export class QueuesModule {}
