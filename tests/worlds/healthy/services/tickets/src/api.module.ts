import { Module } from '@nestjs/common';
import { DatabaseModule } from './database.module';
import { QueuesModule } from './queues.module';
import { TransfersController } from './transfers/transfers.controller';
import { TransfersService } from './transfers/transfers.service';

@Module({
  imports: [QueuesModule, DatabaseModule],
  controllers: [TransfersController],
  providers: [TransfersService],
})
export class ApiModule {}
