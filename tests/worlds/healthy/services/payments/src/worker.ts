import { closeOnSignals, logRejections } from '@boxoffice/jobs';
import { startOpsServer } from '@boxoffice/observability';
import { startCharges } from './charges.js';
import { pool } from './db.js';
import { startRefunds } from './refunds.js';
import { scheduleSettlement, startSettlement } from './settlement.js';

logRejections();

const workers = [startCharges(), startRefunds(), startSettlement()];
await scheduleSettlement();

startOpsServer({ ready: () => workers.every((worker) => worker.isRunning()) });
closeOnSignals(workers, () => pool.end());
