import fp from 'fastify-plugin';
import { FastifyInstance } from 'fastify';
import { Queue, Worker } from 'bullmq';

async function jobs(fastify: FastifyInstance) {
  const queue = new Queue('web', { defaultJobOptions: { attempts: 3 } });
  const worker = new Worker('web', async () => undefined); // expect: worker queue=web closed=SIGTERM,SIGINT
  fastify.decorate('jobs', queue);
  fastify.addHook('onClose', async () => {
    await worker.close();
    await queue.close();
  });
}
export default fp(jobs);
