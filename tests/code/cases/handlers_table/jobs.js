const { Queue } = require('bullmq');

const next = new Queue('next');
const jobs = {
  first: async (data, { queue }) => {
    await queue.add('second', data, { attempts: 2 }); // expect: producer queue=next attempts=2
  },
  async second() {},
};
module.exports = (ctx) => async (job) => jobs[job.name](job.data, { ...ctx, queue: next });
