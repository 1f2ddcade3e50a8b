import { BullModule } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import { TicketsController } from './tickets.controller';
import { TicketsProcessor } from './tickets.processor';

@Module({
  imports: [
    BullModule.forRoot({
      connection: { host: process.env.REDIS_HOST, port: 6379 },
      defaultJobOptions: { attempts: 3, backoff: { type: 'fixed', delay: 1000 }, removeOnComplete: 1000 },
    }),
    BullModule.registerQueue({ name: 'tickets', defaultJobOptions: { removeOnFail: 10 } }),
  ],
  controllers: [TicketsController],
  providers: [TicketsProcessor],
})
export class AppModule {}
