import { Queue } from 'bullmq';

const coin = 'ETH';
const queue = new Queue(`${coin.toLowerCase()}-deposits`);
queue.add('x', {}); // expect: producer queue=eth-deposits

export function perCoin(symbol: string) {
  new Queue(`${symbol}-withdrawals`).add('x', {}); // expect: producer queue=?
}
