import { Queue } from 'bullmq';

export const mail = new Queue('mail');
export const defaults = { attempts: 3 };
export const enqueue = (queue: Queue, name: string, opts?: object) => queue.add(name, {}, { ...defaults, ...opts }); // expect: producer queue=mail attempts=3 job=hello
