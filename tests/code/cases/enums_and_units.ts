import ms from 'ms';
import { Queue } from 'bullmq';

enum Names {
  Mail = 'mail-queue',
  Push = 'push-queue',
}
enum Level {
  Low = 1,
  High,
}
const OPTIONS = { delay: ms('5m') } as const;

new Queue(Names.Push).add('x', {}, { priority: Level.High, delay: OPTIONS.delay }); // expect: producer queue=push-queue priority=2 delay=300000
