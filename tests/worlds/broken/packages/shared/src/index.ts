export { connection } from './redis';
export { jobOptions } from './job-options';
export { failedJobs } from './failed-jobs';
