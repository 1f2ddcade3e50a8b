import { Queue } from 'bullmq';

let cached: Queue | undefined;
const queue = () => {
  if (!cached) {
    cached = new Queue('lazy', { defaultJobOptions: { attempts: 3 } });
  }
  return cached;
};
queue().add('x', {}); // expect: producer queue=lazy attempts=3
