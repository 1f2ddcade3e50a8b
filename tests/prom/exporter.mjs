// A small service on the real BullMQ: queue `mail`, filled and not consumed, and its metrics on a loopback port.
// node exporter.mjs '{"connection": {...}, "jobs": 7}' prints the port, and stays until killed.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const { Queue, Worker } = require('bullmq5');
const { connection, jobs, workers = 0 } = JSON.parse(process.argv[2]);

const queue = new Queue('mail', { connection });
await queue.addBulk(Array.from({ length: jobs }, (_, n) => ({ name: 'welcome', data: { n } })));
for (let n = 0; n < workers; n += 1) new Worker('mail', async () => {}, { connection, autorun: false });

const server = createServer(async (request, response) => {
  if (request.url !== '/metrics') return response.writeHead(404).end();
  response.setHeader('Content-Type', 'text/plain; version=0.0.4');
  const workersSeen = (await queue.getWorkers()).length;
  const own = `# TYPE mail_workers gauge\nmail_workers{queue="mail"} ${workersSeen}\n`;
  return response.end((await queue.exportPrometheusMetrics()) + '\n' + own);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
