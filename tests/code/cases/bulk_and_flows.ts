import { FlowProducer, Queue } from 'bullmq';

const queue = new Queue('bulk');
export async function all(ids: string[]) {
  await queue.addBulk([{ name: 'a', data: {}, opts: { attempts: 2 } }]); // expect: producer method=addBulk queue=bulk attempts=2 job=a
  await queue.addBulk(ids.map((id) => ({ name: 'b', data: { id }, opts: { attempts: 3, jobId: id } }))); // expect: producer method=addBulk attempts=3 job=b jobId=deterministic
  const flow = new FlowProducer();
  await flow.add( // expect: producer method=add queue=parent attempts=4 children=child
    {
      name: 'root',
      queueName: 'parent',
      children: [{ name: 'leaf', queueName: 'child', opts: { attempts: 9 } }],
    },
    { queuesOptions: { parent: { defaultJobOptions: { attempts: 4 } } } },
  );
}
