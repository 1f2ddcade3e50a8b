import { Queue } from 'bullmq';

class Jobs {
  private static instance: Jobs;
  private readonly byName = new Map<string, Queue>();
  static getInstance() {
    if (!Jobs.instance) Jobs.instance = new Jobs();
    return Jobs.instance;
  }
  constructor() {
    this.register('alpha', 2);
    this.register('beta', 4);
  }
  private register(name: string, attempts: number) {
    this.byName.set(name, new Queue(name, { defaultJobOptions: { attempts } }));
  }
  get(name: string) {
    return this.byName.get(name)!;
  }
}

Jobs.getInstance().get('alpha').add('x', {}); // expect: producer queue=alpha attempts=2
Jobs.getInstance().get('beta').add('x', {}); // expect: producer queue=beta attempts=4
