module.exports = async (job) => job.data;
