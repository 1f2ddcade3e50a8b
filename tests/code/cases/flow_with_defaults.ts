import { FlowProducer } from 'bullmq';

const flows = new FlowProducer();

function options(keep: number) {
  return { attempts: 4, backoff: { type: 'exponential', delay: 5000 }, removeOnComplete: keep };
}

async function payload(event: string, data: unknown) {
  return { event, data, at: Date.now() };
}

export async function push(event: string, data: unknown) {
  const children = [{ name: event, data, queueName: 'documents' }];
  const jobs = options(10);
  await flows.add( // expect: producer queue=notify children=documents attempts=4 backoff=exponential removeOnComplete=10
    { name: 'notify', data: await payload(event, data), queueName: 'notify', children }, 
    { queuesOptions: { notify: { defaultJobOptions: jobs }, documents: { defaultJobOptions: jobs } } },
  );
}
