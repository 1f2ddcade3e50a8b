import { connection } from '@boxoffice/shared';
import { PrismaClient } from '@prisma/client';
import { Job, Worker } from 'bullmq';
import { ethers } from 'ethers';
import { NFTStorage } from 'nft.storage';

const prisma = new PrismaClient();
const provider = new ethers.JsonRpcProvider(process.env.RPC_URL);
const storage = new NFTStorage({ token: process.env.NFT_STORAGE_KEY });
const abi = ['function mint(address to, string uri)'];

async function mintOne(ticket: any, key: string) {
  const wallet = new ethers.Wallet(key, provider);
  const contract = new ethers.Contract(process.env.CONTRACT, abi, wallet);
  const metadata = await storage.store({
    name: `Ticket ${ticket.ticketId}`,
    description: `Minted at ${new Date().toISOString()}`,
    image: await fetch(`https://cdn.boxoffice.example/tickets/${ticket.ticketId}.png`).then((r) => r.blob()),
  });
  await prisma.mint.create({ data: { ticketId: ticket.ticketId, status: 'PENDING', uri: metadata.url } });
  const nonce = await provider.getTransactionCount(wallet.address);
  const tx = await contract.mint(ticket.recipient, metadata.url, { nonce, gasLimit: 200000 });
  await tx.wait();
  await prisma.mint.updateMany({ where: { ticketId: ticket.ticketId }, data: { txHash: tx.hash } });
  await prisma.event.update({ where: { id: ticket.eventId }, data: { minted: { increment: 1 } } });
}

export const evmWorker = new Worker(
  'nft-mint-evm',
  async (job: Job) => {
    if (job.name === 'mint-batch') {
      for (const ticket of job.data.tickets) {
        await mintOne(ticket, process.env.MINTER_KEY);
      }
      return;
    }
    await mintOne(job.data, job.data.privateKey);
  },
  { connection, concurrency: 10, lockDuration: 10000, skipLockRenewal: true, stalledInterval: 5000 },
);
