import { Gauge } from 'prom-client';
import { allQueues } from '../queues.js';

const workers = new Gauge({ name: 'ticket_queue_workers', help: 'Workers per queue', labelNames: ['queue'] });

// TODO: call this from server.ts
export function watchWorkers(): void {
  setInterval(async () => {
    for (const queue of allQueues) {
      workers.set({ queue: queue.name }, (await queue.getWorkers()).length);
    }
  }, 30_000);
}
