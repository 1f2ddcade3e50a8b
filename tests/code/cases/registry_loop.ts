import { Queue, Worker } from 'bullmq';

const DEFINITIONS = [
  { name: 'one', attempts: 1 },
  { name: 'two', attempts: 2 },
];
const queues: Record<string, Queue> = {};
for (const definition of DEFINITIONS) {
  queues[definition.name] = new Queue(definition.name, { defaultJobOptions: { attempts: definition.attempts } });
}
queues.two.add('x', {}); // expect: producer queue=two attempts=2
queues['one'].add('x', {}); // expect: producer queue=one attempts=1
export const any = (name: string) => queues[name].add('x', {}); // expect: producer queue=one|two attempts=varies

const workers = DEFINITIONS.map(({ name }) => new Worker(name, async () => undefined)); // expect: worker queue=one|two listeners=error,failed closed=SIGTERM,SIGINT
workers.forEach((worker) => {
  for (const event of ['error', 'failed'] as const) worker.on(event, console.error);
});
['SIGINT', 'SIGTERM'].forEach((signal) =>
  process.on(signal, async () => {
    await Promise.all(workers.map((worker) => worker.close()));
    process.exit(0);
  }),
);
