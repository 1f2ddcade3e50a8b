import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';

abstract class Base extends WorkerHost {
  @OnWorkerEvent('error')
  onError() {}
}

@Processor('mail', { concurrency: 9, limiter: { max: 1, duration: 10 } }) // expect: worker queue=mail concurrency=9 listeners=error,failed handler=mail.processor.ts live=true
export class MailProcessor extends Base {
  async process(job: { data: unknown }) {
    return job.data;
  }
  @OnWorkerEvent('failed')
  onFailed() {}
}

@Processor('orphan') // expect: worker queue=orphan live=false
export class OrphanProcessor extends WorkerHost {
  async process() {}
}
