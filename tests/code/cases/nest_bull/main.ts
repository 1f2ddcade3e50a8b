import { NestFactory } from '@nestjs/core';
import { LegacyModule } from './module';

async function bootstrap() {
  const app = await NestFactory.create(LegacyModule);
  app.enableShutdownHooks();
  await app.listen(3000);
}
bootstrap();
