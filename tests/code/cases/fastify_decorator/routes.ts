import { FastifyInstance } from 'fastify';

export default async function routes(fastify: FastifyInstance) {
  fastify.post('/x', async () => {
    await fastify.jobs.add('x', {}); // expect: producer queue=web attempts=3
  });
}
