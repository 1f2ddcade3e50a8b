import { Queue } from 'bullmq';

const queue = new Queue('broken');
const half = = 3;
queue.add('x', {}, { attempts: 3 }); // expect: producer queue=broken attempts=3
