import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { logRejections, trackQueue } from '@boxoffice/jobs';
import { startOpsServer } from '@boxoffice/observability';
import { getQueueToken } from '@nestjs/bullmq';
import { QUEUE_OPTIONS } from './queues';
import { TransfersProcessor } from './transfers/transfers.processor';
import { WorkerModule } from './worker.module';

async function bootstrap(): Promise<void> {
  logRejections();
  const app = await NestFactory.createApplicationContext(WorkerModule);
  app.enableShutdownHooks(); // SIGTERM and SIGINT: Nest closes the workers before it exits
  for (const { name } of QUEUE_OPTIONS) trackQueue(app.get(getQueueToken(name)));
  startOpsServer({ ready: () => app.get(TransfersProcessor).worker.isRunning() });
}

void bootstrap();
