import { Queue } from 'bullmq';

const queue = new Queue('clock', { defaultJobOptions: { removeOnComplete: 10 } });
queue.upsertJobScheduler('nightly', { pattern: '0 1 * * *' }, { name: 'report', opts: { attempts: 2 } }); // expect: producer method=upsertJobScheduler queue=clock attempts=2 jobId=none scheduler=nightly job=report
queue.add('tick', {}, { repeat: { every: 1000 }, jobId: 'tick' }); // expect: producer method=add queue=clock attempts=none scheduler=tick removeOnComplete=10
