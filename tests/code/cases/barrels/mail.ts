import { Queue } from 'bullmq';

export default new Queue('mail');
