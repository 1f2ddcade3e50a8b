import express from 'express';
import { register } from 'prom-client';
import { router } from './routes';
import { chargeWorker } from './workers/charge';
import { refundWorker } from './workers/refund';
import './metrics';

const app = express();
app.use(express.json());
app.use('/api', router);
app.get('/metrics', async (req, res) => res.end(await register.metrics()));
app.listen(3000, () => console.log('payments on 3000'));

process.on('SIGTERM', async () => {
  console.log('bye');
  process.exit(0);
});

process.on('SIGINT', async () => {
  chargeWorker.close();
  refundWorker.close();
  process.exit(0);
});
