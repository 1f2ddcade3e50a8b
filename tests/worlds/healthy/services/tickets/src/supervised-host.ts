import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { bury, withDeadline } from '@boxoffice/jobs';
import { jobDuration, jobsCompleted, jobsFailed, jobsStalled, log } from '@boxoffice/observability';
import { UnrecoverableError, type Job } from 'bullmq';

/** A processor with what each of ours has: a time limit, logs, metrics, dead letters. */
export abstract class SupervisedHost extends WorkerHost {
  /** Milliseconds that a run may take. */
  protected readonly limit: number = 30_000;

  protected abstract handle(job: Job): Promise<void>;

  async process(job: Job): Promise<void> {
    await withDeadline(this.limit, () => this.handle(job));
  }

  @OnWorkerEvent('error')
  onError(error: Error): void {
    log.error({ queue: this.worker.name, err: error }, 'worker error');
  }

  @OnWorkerEvent('stalled')
  onStalled(jobId: string): void {
    jobsStalled.inc({ queue: this.worker.name });
    log.warn({ queue: this.worker.name, jobId }, 'job stalled');
  }

  @OnWorkerEvent('completed')
  onCompleted(job: Job): void {
    jobsCompleted.inc({ queue: job.queueName, job: job.name });
    jobDuration.observe({ queue: job.queueName, job: job.name }, (job.finishedOn! - job.processedOn!) / 1000);
  }

  @OnWorkerEvent('failed')
  async onFailed(job: Job | undefined, error: Error): Promise<void> {
    if (!job) return;
    const final = error instanceof UnrecoverableError || job.attemptsMade >= (job.opts.attempts ?? 1);
    jobsFailed.inc({ queue: job.queueName, job: job.name, final: String(final) });
    log.warn({ queue: job.queueName, jobId: job.id, attempt: job.attemptsMade, final, err: error }, 'job failed');
    if (final) await bury(job.queueName, job, error);
  }
}
