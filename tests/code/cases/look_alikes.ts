import PgBoss from 'pg-boss';
import { EventEmitter } from 'node:events';

class Queue {
  constructor(private readonly boss: PgBoss) {}
  add(name: string, data: object) {
    return this.boss.send(name, data);
  }
  process(name: string, handler: () => void) {
    return this.boss.work(name, handler);
  }
}
class BullModule {
  static registerQueue(options: { name: string }) {
    return options;
  }
}
const queue = new Queue(new PgBoss('postgres://'));
queue.add('x', {});
queue.process('x', () => undefined);
new Set<string>().add('queue');
BullModule.registerQueue({ name: 'mail' });
new EventEmitter().on('error', () => undefined);
