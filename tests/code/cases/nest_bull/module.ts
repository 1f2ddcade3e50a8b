import { BullModule, InjectQueue, OnQueueError, OnQueueFailed, Process, Processor } from '@nestjs/bull';
import { Module } from '@nestjs/common';
import { Queue } from 'bull';

@Processor('legacy') // expect: worker queue=legacy concurrency=6 lockDuration=1000 listeners=error,failed library=bull closed=SIGTERM,SIGINT,SIGHUP
export class LegacyProcessor {
  @Process({ name: 'a', concurrency: 5 })
  async a() {}
  @Process('b')
  async b() {}
  @OnQueueFailed()
  failed() {}
  @OnQueueError()
  error() {}
}

export class Producer {
  @InjectQueue('legacy') private readonly queue: Queue;
  run() {
    return this.queue.add('a', {}, { attempts: 2 }); // expect: producer queue=legacy attempts=2 backoff=fixed library=bull
  }
}

@Module({
  imports: [
    BullModule.registerQueueAsync({
      name: 'legacy',
      useFactory: () => ({ settings: { lockDuration: 1000 }, defaultJobOptions: { backoff: 5 } }),
    }),
  ],
  providers: [LegacyProcessor, Producer],
})
export class LegacyModule {}
