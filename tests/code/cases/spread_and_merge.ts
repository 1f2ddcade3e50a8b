import { Queue } from 'bullmq';

const base = Object.freeze({ attempts: 4, backoff: { type: 'fixed', delay: 500 } } as const);
const kept = { ...base, removeOnComplete: { count: 100 } };
const queue = new Queue('merge');

export function go(extra: { priority?: number } = {}) {
  queue.add('a', {}, { ...kept, attempts: 6 }); // expect: producer queue=merge attempts=6 backoff=fixed removeOnComplete={"count":100}
  queue.add('b', {}, Object.assign({}, base, { attempts: 7 })); // expect: producer attempts=7 backoff=fixed
  queue.add('c', {}, { attempts: 8, ...base }); // expect: producer attempts=4
  queue.add('d', {}, { ...base, ...extra }); // expect: producer attempts=4 priority=none
}
