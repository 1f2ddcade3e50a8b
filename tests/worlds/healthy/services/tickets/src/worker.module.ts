import { Module } from '@nestjs/common';
import { DatabaseModule } from './database.module';
import { HousekeepingProcessor } from './housekeeping/housekeeping.processor';
import { HousekeepingScheduler } from './housekeeping/housekeeping.scheduler';
import { QrCodesWorker } from './qr-codes/qr-codes.worker';
import { QueuesModule } from './queues.module';
import { TransfersProcessor } from './transfers/transfers.processor';
import { TransfersService } from './transfers/transfers.service';

@Module({
  imports: [QueuesModule, DatabaseModule],
  providers: [TransfersProcessor, TransfersService, HousekeepingProcessor, HousekeepingScheduler, QrCodesWorker],
})
export class WorkerModule {}
