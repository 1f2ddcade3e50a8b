import { registerAs } from '@nestjs/config';

export default registerAs('jobs', () => ({ attempts: parseInt(process.env.JOB_ATTEMPTS ?? '13', 10), name: 'configured' }));
