export { log } from './log.js';
export { jobDuration, jobsCompleted, jobsFailed, jobsStalled } from './metrics.js';
export { startOpsServer } from './ops-server.js';
