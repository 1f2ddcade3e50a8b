import { Worker } from 'bullmq';
const w = new Worker('m', async (job) => {}, { connection });
