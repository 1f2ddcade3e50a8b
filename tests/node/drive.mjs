// Drives the real Bull or BullMQ for one test: node drive.mjs '<JSON step>'.
//
// {
//   connection: {path} | {host, port, password}, login?: {username, password}, db?, cluster?: [{host, port}], library: 'bull' | 'bullmq5' | 'bullmq6', queue, prefix?,
//   queueOptions?: {defaultJobOptions, streams, ...},
//   add?: [{name, data, opts, times?}],        // in order
//   schedulers?: [{id, repeat, template}],     // BullMQ; Bull: {id: name, repeat, template: {data, opts}}
//   flow?: {...},                              // FlowProducer.add
//   pause?: true, globalConcurrency?, globalRateLimit?: [max, ms],
//   work?: {options?, workers?, mode?: 'done' | 'fail' | 'hang' | 'block', ms?, jobs?, result?}
//                                              // jobs: end when that many are completed or finally failed
//   listen?: true,                             // QueueEvents
//   stay?: true                                // print `ready` once all is set up, and stay until killed
// }
// Ends with one line of JSON: {added: [ids], done, failed, errors}.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const step = JSON.parse(process.argv[2]);
const bull = step.library === 'bull';
const lib = require(step.library);
const options = { ...step.connection, ...(step.login ?? {}), ...(step.db ? { db: step.db } : {}), maxRetriesPerRequest: null };
// one client for all, as an application on a cluster would have
const connection = step.cluster ? new (require('ioredis').Cluster)(step.cluster, { redisOptions: { maxRetriesPerRequest: null } }) : options;
const shared = { ...(step.prefix ? { prefix: step.prefix } : {}) };
const closing = step.cluster ? [() => connection.quit()] : [];
const said = { added: [], done: 0, failed: 0, errors: [] };

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const complain = (error) => said.errors.push(error.message);

function openQueue() {
  const queue = bull
    ? new lib(step.queue, { redis: { ...connection, enableReadyCheck: false }, ...shared, ...(step.queueOptions ?? {}) })
    : new lib.Queue(step.queue, { connection, ...shared, ...(step.queueOptions ?? {}) });
  queue.on('error', complain);
  closing.push(() => queue.close());
  return queue;
}

async function processJob(job) {
  const { mode = 'done', ms = 0, result = 'ok' } = step.work;
  if (mode === 'hang') await new Promise(() => {});
  if (mode === 'block') for (const until = Date.now() + ms; Date.now() < until; ) { /* the event loop stands still */ }
  else if (ms) await sleep(ms);
  if (mode === 'fail') throw new Error(step.work.reason ?? 'it did not work');
  return result;
}

async function startWorkers(queue) {
  const { workers = 1, options = {} } = step.work;
  let tell;
  const enough = new Promise((resolve) => { tell = resolve; });
  const count = (kind) => {
    said[kind] += 1;
    if (step.work.jobs !== undefined && said.done + said.failed >= step.work.jobs) tell();
  };
  if (bull) {
    queue.on('completed', () => count('done'));
    queue.on('failed', (job) => { if (job.attemptsMade >= (job.opts.attempts ?? 1)) count('failed'); });
    for (const name of step.work.names ?? ['*']) queue.process(name, options.concurrency ?? 1, processJob);
    await queue.isReady();
    return { enough };
  }
  for (let i = 0; i < workers; i += 1) {
    const worker = new lib.Worker(step.queue, processJob, { connection, ...shared, ...options });
    worker.on('error', complain);
    worker.on('completed', () => count('done'));
    worker.on('failed', (job) => { if (!job || job.attemptsMade >= (job.opts.attempts ?? 0)) count('failed'); });
    await worker.waitUntilReady();
    closing.push(() => worker.close());
  }
  return { enough };
}

async function main() {
  const queue = openQueue();
  if (!bull) await queue.waitUntilReady();
  if (step.globalConcurrency) await queue.setGlobalConcurrency(step.globalConcurrency);
  if (step.globalRateLimit) await queue.setGlobalRateLimit(...step.globalRateLimit);
  for (const job of step.add ?? []) {
    for (let i = 0; i < (job.times ?? 1); i += 1) {
      const added = bull && job.name === undefined ? await queue.add(job.data ?? {}, job.opts) : await queue.add(job.name, job.data ?? {}, job.opts);
      said.added.push(added.id);
    }
  }
  for (const made of step.schedulers ?? []) {
    if (bull) await queue.add(made.id, made.template?.data ?? {}, { ...(made.template?.opts ?? {}), repeat: made.repeat });
    else await queue.upsertJobScheduler(made.id, made.repeat, made.template);
  }
  if (step.flow) {
    const flows = new lib.FlowProducer({ connection, ...shared });
    await flows.add(step.flow);
    closing.push(() => flows.close());
  }
  if (step.pause) await queue.pause();
  if (step.listen) {
    const events = new lib.QueueEvents(step.queue, { connection, ...shared });
    events.on('error', complain);
    await events.waitUntilReady();
    closing.push(() => events.close());
  }
  const working = step.work ? await startWorkers(queue) : undefined;
  if (step.stay) {
    if (step.work?.settle !== undefined) await sleep(step.work.settle);
    process.stdout.write('ready\n');
    await new Promise(() => { setInterval(() => {}, 1000); });
  }
  if (working) await Promise.race([working.enough, sleep(step.work.within ?? 20000)]);
  for (const close of closing.reverse()) await close();
}

main().then(
  () => process.stdout.write(`${JSON.stringify(said)}\n`, () => process.exit(0)),
  (error) => { console.error(error); process.exit(1); },
);
