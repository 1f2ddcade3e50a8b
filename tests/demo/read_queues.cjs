// Reads the demo's queues as BullMQ itself sees them, then works off two of them.
// node read_queues.cjs PATH_TO_BULLMQ SOCKET QUEUE...  prints one JSON object
const [, , bullmq, socket, ...names] = process.argv;
const { Queue, Worker } = require(bullmq);
const connection = { path: socket, maxRetriesPerRequest: null };
const STATES = ['waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed'];

async function describe(name) {
  const queue = new Queue(name, { connection, skipMetasUpdate: true });
  const jobs = {};
  for (const state of STATES) {
    const found = await queue.getJobs([state], 0, -1, true);
    jobs[state] = await Promise.all(
      found.map(async (job) => ({
        id: job.id, name: job.name, data: job.data, opts: job.opts, attemptsMade: job.attemptsMade, state: await job.getState(),
        stalled: job.stalledCounter, scheduler: job.repeatJobKey, failedReason: job.failedReason, stacktrace: job.stacktrace, finishedOn: job.finishedOn, delay: job.delay,
      })),
    );
  }
  const seen = {
    counts: await queue.getJobCounts(...STATES), jobs, schedulers: await queue.getJobSchedulers(),
    workers: (await queue.getWorkers()).map((worker) => worker.name), failures: (await queue.getMetrics('failed')).meta.count,
  };
  await queue.close();
  return seen;
}

async function work(name, wanted) {
  const done = [];
  let tell;
  const enough = new Promise((resolve) => { tell = resolve; });
  const worker = new Worker(name, async (job) => { done.push(job.id); return 'done'; }, { connection });
  const failures = [];
  worker.on('error', (error) => failures.push(error.message));
  worker.on('completed', () => done.length >= wanted && tell());
  await Promise.race([enough, new Promise((resolve) => setTimeout(resolve, 8000))]);
  await worker.close();
  return { done, failures };
}

(async () => {
  const queues = {};
  for (const name of names) queues[name] = await describe(name);
  const transfers = await work('ticket-transfer', 3);
  const mints = await work('nft-mint', 25);
  // a pipe takes 64 KB at a time: leave when all is written
  process.stdout.write(JSON.stringify({ queues, transfers, mints }), () => process.exit(0));
})().catch((error) => { console.error(error); process.exit(1); });
