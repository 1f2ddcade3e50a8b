import { createQueue } from '@acme/queues';
import { NAMES } from '@acme/queues/names';

const mail = createQueue(NAMES.mail, { defaultJobOptions: { backoff: { type: 'fixed', delay: 1 } } });
mail.add('x', {}); // expect: producer queue=acme-mail attempts=3 backoff=fixed
