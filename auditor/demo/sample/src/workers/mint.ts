import { Worker, type Job } from 'bullmq';
import { Contract, JsonRpcProvider, NonceManager, Wallet, isError } from 'ethers';
import { workerConnection as connection } from '../lib/connection.js';
import { pool } from '../lib/db.js';
import { log } from '../lib/log.js';
import { mails } from '../queues.js';
import { supervise } from './dead-letter.js';

const provider = new JsonRpcProvider(process.env.RPC_URL);
const signer = new NonceManager(new Wallet(process.env.MINTER_KEY ?? '', provider));
const tickets = new Contract(process.env.TICKETS_ADDRESS ?? '', ['function mint(address to, string uri)'], signer);

async function mint(job: Job): Promise<{ txHash: string }> {
  const { mintRequestId, recipient, metadataUri } = job.data;
  const prior = await pool.query(`SELECT status, tx_hash FROM mints WHERE request_id = $1`, [mintRequestId]);
  if (prior.rows[0]?.status === 'CONFIRMED') return { txHash: prior.rows[0].tx_hash };
  if (prior.rows[0]?.tx_hash) return confirm(job, mintRequestId, prior.rows[0].tx_hash);

  await pool.query(
    `INSERT INTO mints (request_id, status) VALUES ($1, 'SENDING') ON CONFLICT (request_id) DO UPDATE SET status = 'SENDING'`,
    [mintRequestId],
  );
  try {
    const tx = await tickets.mint(recipient, metadataUri);
    await pool.query(`UPDATE mints SET status = 'SENT', tx_hash = $2 WHERE request_id = $1`, [mintRequestId, tx.hash]);
    return await confirm(job, mintRequestId, tx.hash);
  } catch (error) {
    if (isError(error, 'NONCE_EXPIRED') || isError(error, 'REPLACEMENT_UNDERPRICED')) signer.reset();
    await pool.query(`UPDATE mints SET status = 'RETRY' WHERE request_id = $1 AND tx_hash IS NULL`, [mintRequestId]);
    throw error;
  }
}

async function confirm(job: Job, mintRequestId: string, txHash: string): Promise<{ txHash: string }> {
  const receipt = await provider.waitForTransaction(txHash, 2, 180_000);
  if (receipt?.status !== 1) throw new Error(`mint reverted: ${txHash}`);
  await pool.query(`UPDATE mints SET status = 'CONFIRMED' WHERE request_id = $1`, [mintRequestId]);
  await mails.add('ticket-minted', { mintRequestId }, { jobId: `minted-${mintRequestId}` });
  log.info({ jobId: job.id, mintRequestId, txHash }, 'minted');
  return { txHash };
}

export const mintWorker = supervise(new Worker('nft-mint', mint, { connection, concurrency: 1, lockDuration: 60_000, name: 'nft-mint-1' }));
