import { MongoClient, type ObjectId } from 'mongodb';

const client = new MongoClient(process.env.MONGO_URL!, {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  socketTimeoutMS: 20_000,
  maxPoolSize: 20,
});
const db = client.db('newsletter');

export interface Subscriber {
  _id: string;
  email: string;
  unsubscribedAt?: Date;
  bouncedAt?: Date;
}

export interface Campaign {
  _id: string;
  subject: string;
  mjml: string;
  attachments: { filename: string; url: string }[];
}

/** One per campaign and subscriber; the pair is the id, so there can be no second. */
export interface Delivery {
  _id: string;
  status: 'sending' | 'sent' | 'failed';
  messageId?: string;
  reason?: string;
  at: Date;
}

export const subscribers = db.collection<Subscriber>('subscribers');
export const campaigns = db.collection<Campaign>('campaigns');
export const deliveries = db.collection<Delivery>('deliveries');
export const bounces = db.collection<{ _id: ObjectId; email: string; at: Date }>('bounces');

export const closeStore = (): Promise<void> => client.close();
