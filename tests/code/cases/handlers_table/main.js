const { Worker } = require('bullmq');
const jobs = require('./jobs');

new Worker('table', jobs({ log: console })); // expect: worker queue=table handler=jobs.js:10
