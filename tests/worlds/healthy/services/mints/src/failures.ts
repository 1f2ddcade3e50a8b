import type { Job } from 'bullmq';
import { log } from '@boxoffice/observability';
import { prisma } from './database.js';
import type { MintRequest } from './mint-request.js';

/** A mint whose attempts are used up is shown as failed, not as pending for ever. */
export async function recordFailure(job: Job<MintRequest> | undefined, error: Error): Promise<void> {
  if (!job?.data.mintRequestId || job.attemptsMade < (job.opts.attempts ?? 1)) return;
  try {
    await prisma.mint.updateMany({
      where: { requestId: job.data.mintRequestId, status: { not: 'CONFIRMED' } },
      data: { status: 'FAILED', failure: error.message },
    });
  } catch (cause) {
    log.error({ jobId: job.id, err: cause }, 'could not record a failed mint');
  }
}
