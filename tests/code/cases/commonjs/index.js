module.exports = { Worker: require('bullmq').Worker, ...require('./queue') };
