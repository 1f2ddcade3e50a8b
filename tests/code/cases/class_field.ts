import { Queue } from 'bullmq';

abstract class Base {
  protected readonly queue: Queue;
  protected readonly attempts: number = 2;
  constructor(name: string) {
    this.queue = new Queue(name, { defaultJobOptions: { attempts: 6 } });
  }
  protected put(data: object) {
    return this.queue.add('put', data, { backoff: 100 }); // expect: producer queue=mail|push attempts=6 backoff=fixed
  }
}

export class Mail extends Base {
  constructor() {
    super('mail');
  }
  again() {
    return this.queue.add('again', {}, { attempts: this.attempts }); // expect: producer queue=mail attempts=2
  }
}

export class Push extends Base {
  constructor() {
    super('push');
  }
}

new Mail().again();
new Push();
