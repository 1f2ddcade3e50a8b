import { z } from 'zod';

const schema = z.object({
  ATTEMPTS: z.coerce.number().int().default(6),
  CONCURRENCY: z.string().transform(Number).default('8'),
  NAME: z.string().min(1).default('settings'),
});
export const env = schema.parse(process.env);
