import Bull from 'bull';

const queue = new Bull('bull-queue', 'redis://localhost', {
  defaultJobOptions: { attempts: 3 },
  settings: { lockDuration: 90000, maxStalledCount: 2, stalledInterval: 5000 },
});

queue.add({ id: 1 }); // expect: producer queue=bull-queue attempts=3 library=bull
queue.add({ id: 1 }, { attempts: 8, timeout: 1000 }); // expect: producer attempts=8 timeout=1000
queue.add('named', { id: 1 }, { removeOnFail: true, attempts: undefined }); // expect: producer job=named attempts=3 removeOnFail=true
queue.add({ id: 1 }, { repeat: { cron: '* * * * *' } }); // expect: producer attempts=3 scheduler=?

queue.process('named', 4, async (job) => job.data); // expect: worker queue=bull-queue concurrency=4 lockDuration=90000 maxStalledCount=2 listeners=error,failed library=bull
queue.process(async (job) => job.data); // expect: worker queue=bull-queue concurrency=none stalledInterval=5000
queue.process(3, `${__dirname}/processor.js`); // expect: worker concurrency=3 sandboxed=true
queue.on('error', console.error).on('global:failed', console.error);
