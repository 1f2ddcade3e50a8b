const { Queue } = require('bullmq');

exports.mail = new Queue('mail', { defaultJobOptions: { attempts: 3 } });
module.exports.put = function put(data, opts) {
  return exports.mail.add('put', data, opts); // expect: producer queue=mail attempts=3
};
