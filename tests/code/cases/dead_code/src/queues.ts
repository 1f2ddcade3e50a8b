import { Queue, Worker } from 'bullmq';

export const mail = new Queue('mail');
export function start() {
  return new Worker('mail', async () => undefined); // expect: worker queue=mail live=true
}
export function never() {
  return new Worker('mail', async () => undefined); // expect: worker queue=mail live=false
}
