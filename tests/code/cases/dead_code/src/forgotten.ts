import { mail } from './queues';

export const put = () => mail.add('y', {}); // expect: producer queue=mail live=false
