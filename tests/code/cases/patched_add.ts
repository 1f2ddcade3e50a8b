import Bull from 'bull';

const queue = new Bull('patched');
const original = queue.add.bind(queue);
queue.add = function (name: string, data: object, opts: Bull.JobOptions = {}) {
  return original(name, data, { ...opts, jobId: `patched-${Math.random()}` });
};
queue.add('x', {}, { attempts: 2 }); // expect: producer queue=patched attempts=2 jobId=random
