import type { Job } from 'bull';
import mjml2html from 'mjml';
import { log } from '@boxoffice/observability';
import type { CampaignMail } from './queue';
import { transport } from './smtp';
import { campaigns, deliveries, subscribers, type Campaign } from './store';

export async function sendCampaignMail(job: Job<CampaignMail>): Promise<void> {
  const { campaignId, subscriberId } = job.data;
  const deliveryId = `${campaignId}/${subscriberId}`;

  const delivery = await deliveries.findOne({ _id: deliveryId });
  if (delivery?.status === 'sent') return;

  const subscriber = await subscribers.findOne({ _id: subscriberId });
  if (!subscriber || subscriber.unsubscribedAt || subscriber.bouncedAt) {
    log.info({ jobId: job.id, deliveryId }, 'subscriber takes no mail');
    return;
  }
  const campaign = await campaigns.findOne({ _id: campaignId });
  const html = await htmlOf(job, campaign!);

  await deliveries.updateOne(
    { _id: deliveryId },
    { $set: { status: 'sending', at: new Date(job.timestamp) } },
    { upsert: true },
  );
  const sent = await transport.sendMail({
    messageId: `<${campaignId}.${subscriberId}@news.boxoffice.example>`,
    from: 'Boxoffice <news@boxoffice.example>',
    to: subscriber.email,
    subject: campaign!.subject,
    html,
    attachments: campaign!.attachments.map(({ filename, url }) => ({ filename, href: url })),
    list: { unsubscribe: { url: `${process.env.PUBLIC_URL}/unsubscribe/${subscriberId}`, comment: 'Unsubscribe' } },
  });
  await deliveries.updateOne({ _id: deliveryId }, { $set: { status: 'sent', messageId: sent.messageId } });
  log.info({ jobId: job.id, campaignId, messageId: sent.messageId }, 'campaign mail sent');
}

async function htmlOf(job: Job<CampaignMail>, campaign: Campaign): Promise<string> {
  try {
    const { html } = await mjml2html(campaign.mjml, { validationLevel: 'strict' });
    return html;
  } catch (error) {
    await job.discard(); // it will not render the next time either
    throw error;
  }
}
