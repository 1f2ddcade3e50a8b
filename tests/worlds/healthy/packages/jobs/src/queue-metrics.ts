import { Gauge } from 'prom-client';

interface Countable {
  name: string;
  getJobCounts(): Promise<object>;
  getWorkers(): Promise<unknown[]>;
}

const tracked = new Set<Countable>();

new Gauge({
  name: 'boxoffice_queue_jobs',
  help: 'Jobs per queue and state',
  labelNames: ['queue', 'state'],
  async collect() {
    for (const queue of tracked) {
      const counts = await queue.getJobCounts();
      for (const [state, count] of Object.entries(counts)) {
        this.set({ queue: queue.name, state }, count);
      }
    }
  },
});

new Gauge({
  name: 'boxoffice_queue_workers',
  help: 'Workers that are connected to a queue',
  labelNames: ['queue'],
  async collect() {
    for (const queue of tracked) {
      const workers = await queue.getWorkers();
      this.set({ queue: queue.name }, workers.length);
    }
  },
});

/** Shows a queue (of Bull or BullMQ) in this process's /metrics. */
export function trackQueue(queue: Countable): void {
  tracked.add(queue);
}
