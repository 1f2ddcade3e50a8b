import { ConfigService } from '@nestjs/config';
import { Queue } from 'bullmq';

export class Service {
  private readonly queue: Queue;
  constructor(private readonly config: ConfigService) {
    this.queue = new Queue(this.config.get<string>('jobs.name'), {
      defaultJobOptions: { attempts: this.config.get('jobs.attempts', 2), priority: config.get('UNSEEN', 4) },
    });
  }
  run() {
    return this.queue.add('x', {}); // expect: producer queue=configured attempts=13 priority=4
  }
}
