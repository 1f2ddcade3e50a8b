import express from 'express';
import { enqueueMint, enqueueMints } from './producer';
import { evmWorker } from './evm';
import { solanaWorker } from './solana';

const app = express();
app.use(express.json());
app.post('/mints', async (req, res) => {
  await enqueueMint(req.body.chain, req.body);
  res.json({ ok: true });
});
app.post('/mints/batch', async (req, res) => {
  await enqueueMints(req.body.tickets);
  res.json({ ok: true });
});
app.listen(3001);

process.on('SIGTERM', async () => {
  await evmWorker.close(true);
  await solanaWorker.close(true);
  process.exit(0);
});
