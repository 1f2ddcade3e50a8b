import { producerConnection } from '@boxoffice/jobs';
import Redlock from 'redlock';

const redlock = new Redlock([producerConnection()], { retryCount: 5, retryDelay: 200, retryJitter: 100 });

/** Runs `work` while nobody else works on the payments of this order. */
export function withOrderLock<T>(orderId: string, work: () => Promise<T>): Promise<T> {
  return redlock.using([`lock:payments:${orderId}`], 90_000, () => work());
}
