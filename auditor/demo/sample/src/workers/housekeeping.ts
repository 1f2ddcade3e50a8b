import { Worker, type Job } from 'bullmq';
import { workerConnection as connection } from '../lib/connection.js';
import { pool } from '../lib/db.js';
import { log } from '../lib/log.js';
import { supervise } from './dead-letter.js';

async function transfer(job: Job): Promise<void> {
  const { transferId, ticketId, toUserId } = job.data;
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(`UPDATE tickets SET owner_id = $2 WHERE id = $1`, [ticketId, toUserId]);
    await client.query(`UPDATE transfers SET status = 'DONE' WHERE id = $1`, [transferId]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
  log.info({ jobId: job.id, transferId }, 'transferred');
}

async function expire(job: Job): Promise<void> {
  await pool.query(`UPDATE reservations SET status = 'EXPIRED' WHERE created_at < now() - make_interval(hours => $1)`, [job.data.olderThanHours]);
  log.info({ jobId: job.id }, 'reservations expired');
}

export const transferWorker = supervise(new Worker('ticket-transfer', transfer, { connection, concurrency: 10, name: 'ticket-transfer-1' }));
export const cleanupWorker = supervise(new Worker('cleanup', expire, { connection, name: 'cleanup-1' }));
