import { join } from 'node:path';
import { Injectable, OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { QUEUES, redisOptions, supervise } from '@boxoffice/jobs';
import { Worker } from 'bullmq';

/** @nestjs/bullmq's decorator cannot say `useWorkerThreads` per file, so this worker is made by hand. */
@Injectable()
export class QrCodesWorker implements OnModuleInit, OnApplicationShutdown {
  private worker?: Worker;

  onModuleInit(): void {
    this.worker = supervise(
      new Worker(QUEUES.qrCodes, join(__dirname, 'draw-qr-code.js'), {
        connection: { ...redisOptions(), maxRetriesPerRequest: null },
        concurrency: 2,
        useWorkerThreads: true,
      }),
    );
  }

  async onApplicationShutdown(): Promise<void> {
    await this.worker?.close();
  }
}
