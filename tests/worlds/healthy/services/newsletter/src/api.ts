import express from 'express';
import { logRejections } from '@boxoffice/jobs';
import { log, startOpsServer } from '@boxoffice/observability';
import { campaignQueue } from './queue';
import { bounces, subscribers } from './store';

logRejections();

const app = express();
app.use(express.json());

app.post('/campaigns/:id/send', async (request, response) => {
  const campaignId = request.params.id;
  for await (const subscriber of subscribers.find({ unsubscribedAt: { $exists: false } })) {
    await campaignQueue.add(
      'campaign-mail',
      { campaignId, subscriberId: subscriber._id },
      { jobId: `campaign-${campaignId}-${subscriber._id}` },
    );
  }
  response.sendStatus(202);
});

/** The relay posts what came back. */
app.post('/webhooks/bounces', async (request, response) => {
  if (request.headers.authorization !== `Bearer ${process.env.BOUNCE_WEBHOOK_KEY}`) {
    response.sendStatus(401);
    return;
  }
  const { recipient } = request.body as { recipient: string };
  await bounces.insertOne({ email: recipient, at: new Date() } as never);
  await subscribers.updateOne({ email: recipient }, { $set: { bouncedAt: new Date() } });
  response.sendStatus(204);
});

const server = app.listen(Number(process.env.PORT ?? 3000), () => log.info('newsletter api listens'));
startOpsServer({ ready: () => server.listening });
process.once('SIGTERM', () => server.close());
