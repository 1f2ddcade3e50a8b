import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { chargeQueue } from './queues';

const adapter = new ExpressAdapter();
adapter.setBasePath('/admin/queues');
createBullBoard({ queues: [new BullMQAdapter(chargeQueue)], serverAdapter: adapter });

// app.use('/admin/queues', board) once we have auth
export const board = adapter.getRouter();
