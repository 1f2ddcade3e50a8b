const { Worker, mail, put } = require('./index');

mail.add('direct', {}, { attempts: 4 }); // expect: producer queue=mail attempts=4
put({});
const worker = new Worker('mail', require('./handler'), { concurrency: 2 }); // expect: worker queue=mail concurrency=2 handler=handler.js listeners=failed
worker.once('failed', () => {});
