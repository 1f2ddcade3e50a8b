import { Worker } from 'bullmq';

class Service {
  async handle(job: { data: unknown }) {
    return job.data;
  }
  start() {
    return new Worker('bound', this.handle.bind(this)); // expect: worker queue=bound handler=handler_forms.ts:4
  }
}
new Service().start();
export const arrow = new Worker('arrow', async () => 1); // expect: worker queue=arrow handler=handler_forms.ts:12
const withLog = (fn: (job: unknown) => Promise<unknown>) => async (job: unknown) => fn(job);
export const wrapped = new Worker('wrapped', withLog(async () => 2)); // expect: worker queue=wrapped handler=handler_forms.ts:13
export const sandboxed = new Worker('file', new URL('./jobs/run.js', import.meta.url)); // expect: worker queue=file sandboxed=true
