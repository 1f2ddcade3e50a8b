import { Worker } from 'bullmq';

const good = new Worker('good', async () => undefined); // expect: worker queue=good closed=SIGTERM
const early = new Worker('early', async () => undefined); // expect: worker queue=early closed=
const lost = new Worker('lost', async () => undefined); // expect: worker queue=lost closed=

process.once('SIGTERM', async () => {
  await good.close();
});
process.on('SIGINT', () => {
  early.close();
  process.exit(0);
});
export { lost };
