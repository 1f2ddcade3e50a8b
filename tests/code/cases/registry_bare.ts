import { Queue, Worker } from 'bullmq';

const apps = { calc: { queue: true }, forms: { queue: true } };

function makeQueue(params: { queueName: string }): Queue {
  const { queueName } = params;
  const queue = new Queue(queueName);
  queue.on('error', console.error);
  return queue;
}

const byApp: Record<string, ReturnType<typeof makeQueue>> = Object.create(null);
for (const [key, app] of Object.entries(apps)) {
  if (!app.queue) continue;
  const queue = makeQueue({ queueName: `app-${key}` });
  byApp[key] = queue;
}

export async function enqueue(key: string, options: object) {
  const queue = byApp[key];
  return await queue.add('x', {}, { ...options, attempts: 3 }); // expect: producer queue=app-calc|app-forms attempts=3
}

const workers: Record<string, Worker> = Object.create(null);
for (const key of Object.keys(apps)) {
  workers[key] = new Worker(byApp[key].name, async () => undefined); // expect: worker queue=app-calc|app-forms
}
