import { connection as redis } from '@boxoffice/shared';
import { Connection, Keypair, PublicKey, Transaction, TransactionInstruction } from '@solana/web3.js';
import { Worker } from 'bullmq';

const solana = new Connection(process.env.SOLANA_RPC_URL);
const payer = Keypair.fromSecretKey(Buffer.from(process.env.SOLANA_KEY, 'base64'));
const PROGRAM = new PublicKey(process.env.TICKETS_PROGRAM);

async function mintTicket({ ticketId, recipient }) {
  const transaction = new Transaction().add(
    new TransactionInstruction({
      programId: PROGRAM,
      keys: [{ pubkey: new PublicKey(recipient), isSigner: false, isWritable: true }],
      data: Buffer.from(ticketId),
    }),
  );
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      const { blockhash } = await solana.getLatestBlockhash();
      transaction.recentBlockhash = blockhash;
      transaction.sign(payer);
      return await solana.sendRawTransaction(transaction.serialize(), { skipPreflight: true });
    } catch (error) {
      console.log('send failed, again');
    }
  }
}

export const solanaWorker = new Worker('nft-mint-solana', async (job) => mintTicket(job.data), {
  connection: redis,
  concurrency: 10,
});
