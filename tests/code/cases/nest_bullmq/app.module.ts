import { Module } from '@nestjs/common';
import { BullModule } from '@nestjs/bullmq';
import { MailProcessor } from './mail.processor';
import { MailService } from './mail.service';

@Module({
  imports: [
    BullModule.forRoot({ connection: { host: 'redis' }, defaultJobOptions: { attempts: 3, removeOnComplete: true } }),
    BullModule.registerQueue({ name: 'mail', defaultJobOptions: { attempts: 5 } }, { name: 'push' }),
  ],
  providers: [MailProcessor, MailService],
})
export class AppModule {}
