import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { logRejections } from '@boxoffice/jobs';
import { startOpsServer } from '@boxoffice/observability';
import { ApiModule } from './api.module';

async function bootstrap(): Promise<void> {
  logRejections();
  const app = await NestFactory.create(ApiModule);
  app.enableShutdownHooks();
  app.useGlobalPipes(new ValidationPipe({ whitelist: true }));
  await app.listen(process.env.PORT ?? 3000);
  startOpsServer({ ready: () => true });
}

void bootstrap();
