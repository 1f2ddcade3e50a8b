import { PrismaClient } from '@prisma/client';

const url = new URL(process.env.DATABASE_URL!);
url.searchParams.set('connect_timeout', '5');
url.searchParams.set('pool_timeout', '10');
url.searchParams.set('socket_timeout', '15');

export const prisma = new PrismaClient({
  datasourceUrl: url.toString(),
  transactionOptions: { maxWait: 5_000, timeout: 10_000 },
});
