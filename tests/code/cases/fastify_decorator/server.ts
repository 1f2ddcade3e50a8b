import Fastify from 'fastify';
import closeWithGrace from 'close-with-grace';
import jobs from './plugin';
import routes from './routes';

const app = Fastify();
app.register(jobs);
app.register(routes);
closeWithGrace({ delay: 500 }, async () => {
  await app.close();
});
app.listen({ port: 1 });
