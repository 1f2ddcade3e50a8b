import { Worker } from 'bullmq';

export function attach<T extends Worker>(worker: T): T {
  worker.on('error', () => undefined);
  return worker;
}
