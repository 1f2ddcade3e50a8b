import type { Queue } from 'bullmq';

export class Holder {
  constructor(private readonly queue: Queue) {}
  put() {
    return this.queue.add('x', {}, { attempts: 2 }); // expect: producer queue=? attempts=2
  }
}
