import Bull from 'bull';
import { redisOptions, trackQueue } from '@boxoffice/jobs';

export interface CampaignMail {
  campaignId: string;
  subscriberId: string;
}

/** Campaigns only: what people wait for goes through the mailer's own queue. */
export const campaignQueue = new Bull<CampaignMail>('newsletter', {
  redis: redisOptions(),
  defaultJobOptions: {
    attempts: 5,
    backoff: { type: 'exponential', delay: 10_000 },
    timeout: 60_000,
    removeOnComplete: { age: 7 * 24 * 3600, count: 100_000 },
    removeOnFail: { age: 30 * 24 * 3600 },
  },
  settings: { lockDuration: 60_000, stalledInterval: 30_000, maxStalledCount: 2 },
  limiter: { max: 14, duration: 1_000 }, // what the relay takes
});

trackQueue(campaignQueue);

/** Mails that could not be sent; looked at by the campaign team. */
export const undelivered = new Bull('newsletter-dead-letters', { redis: redisOptions() });
