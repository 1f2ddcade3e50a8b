import { Worker } from 'bullmq';

class Loud extends Worker {
  constructor(name: string) {
    super(name, async () => undefined, { concurrency: 3 });
    this.on('error', () => undefined);
  }
}
export const loud = new Loud('loud'); // expect: worker queue=loud concurrency=3 listeners=error
