import { Queue } from 'bullmq';

const options = () => ({ attempts: 3 });
new Queue('uncalled').add('x', {}, { ...options }); // expect: producer queue=uncalled attempts=none misuse=spread_function
