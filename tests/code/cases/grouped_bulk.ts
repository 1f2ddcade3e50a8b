import { Queue } from 'bullmq';

const queue = new Queue('grouped');
const SHARED = { removeOnComplete: true };

export async function all(jobs: { id: string; urgent: boolean }[]) {
  const groups = jobs.reduce(
    (acc, job) => {
      const key = job.urgent ? 'a' : 'b';
      if (!acc[key]) acc[key] = { queue, jobs: [] };
      acc[key].jobs.push(job);
      return acc;
    },
    {} as Record<string, { queue: Queue; jobs: typeof jobs }>,
  );
  for (const key in groups) {
    const group = groups[key];
    await group.queue.addBulk(group.jobs.map((job) => ({ name: 'x', data: {}, opts: { jobId: job.id, ...SHARED } }))); // expect: producer method=addBulk queue=grouped removeOnComplete=true jobId=deterministic
  }
}
all([]);
