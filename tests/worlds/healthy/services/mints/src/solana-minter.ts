import { createHash } from 'node:crypto';
import type { Mint, PrismaClient } from '@prisma/client';
import { enqueueMail } from '@boxoffice/jobs';
import { log } from '@boxoffice/observability';
import {
  MINT_SIZE,
  TOKEN_2022_PROGRAM_ID,
  createAssociatedTokenAccountIdempotentInstruction,
  createInitializeMint2Instruction,
  createMintToInstruction,
  getAssociatedTokenAddressSync,
} from '@solana/spl-token';
import {
  ComputeBudgetProgram,
  Keypair,
  PublicKey,
  SystemProgram,
  TransactionExpiredBlockheightExceededError,
  TransactionMessage,
  VersionedTransaction,
  type Connection,
  type TransactionInstruction,
} from '@solana/web3.js';
import bs58 from 'bs58';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import type { MetadataStore } from './metadata-store.js';
import type { MintRequest } from './mint-request.js';

const MIN_BALANCE = 20_000_000; // lamports
const MAX_PRIORITY_FEE = 2_000_000; // micro-lamports per compute unit
const CONGESTION_RETRY = 60_000;

/** Mints tickets on Solana. The mint's address follows from the ticket: a second mint of it cannot be created. */
export class SolanaMinter {
  constructor(
    private readonly connection: Connection,
    private readonly payer: Keypair,
    private readonly metadata: MetadataStore,
    private readonly prisma: PrismaClient,
  ) {}

  async mint(job: Job<MintRequest>, token?: string): Promise<{ signature: string }> {
    const { mintRequestId, ticketId, recipient } = job.data;

    const prior = await this.prisma.mint.findUnique({ where: { requestId: mintRequestId } });
    if (prior?.status === 'CONFIRMED') return { signature: prior.transactionId! };
    if (prior?.transactionId && (await this.mayStillLand(prior))) return this.rebroadcast(job, prior);

    await this.prisma.mint.upsert({
      where: { requestId: mintRequestId },
      create: { requestId: mintRequestId, ticketId, chain: 'solana', recipient },
      update: { status: 'PENDING', failure: null },
    });

    const balance = await this.connection.getBalance(this.payer.publicKey);
    if (balance < MIN_BALANCE) throw new Error(`minter's wallet is low: ${balance} lamports`);

    const fee = await this.priorityFee();
    if (fee > MAX_PRIORITY_FEE) {
      log.info({ jobId: job.id, fee }, 'network is congested, minting waits');
      await job.moveToDelayed(Date.now() + CONGESTION_RETRY, token);
      throw new DelayedError();
    }

    const uri = await this.metadata.uriOf(job.data);
    const { blockhash, lastValidBlockHeight } = await this.connection.getLatestBlockhash('confirmed');
    const transaction = await this.build(job.data, uri, fee, blockhash);
    const rawTransaction = Buffer.from(transaction.serialize()).toString('base64');
    const signed = await this.prisma.mint.update({
      where: { requestId: mintRequestId },
      data: { status: 'SENT', transactionId: signatureOf(transaction), rawTransaction, lastValidBlockHeight },
    });
    return this.rebroadcast(job, signed, blockhash);
  }

  /** Whether a transaction that an earlier attempt signed has landed, or still can: then none may be signed anew. */
  private async mayStillLand(prior: Mint): Promise<boolean> {
    const { value } = await this.connection.getSignatureStatuses([prior.transactionId!], {
      searchTransactionHistory: true,
    });
    if (value[0]) return value[0].err === null;
    return (await this.connection.getBlockHeight('confirmed')) <= prior.lastValidBlockHeight!;
  }

  /** Sends the very bytes that were signed: however often, they land once. */
  private async rebroadcast(
    job: Job<MintRequest>,
    mint: Mint,
    blockhash?: string,
  ): Promise<{ signature: string }> {
    const { mintRequestId, ticketId, userId } = job.data;
    try {
      const signature = await this.connection.sendRawTransaction(Buffer.from(mint.rawTransaction!, 'base64'), {
        maxRetries: 3,
      });
      const { value } = await this.connection.confirmTransaction(
        {
          signature,
          blockhash: blockhash ?? (await this.connection.getLatestBlockhash()).blockhash,
          lastValidBlockHeight: mint.lastValidBlockHeight!,
        },
        'finalized',
      );
      if (value.err) throw new UnrecoverableError(`mint failed on chain: ${JSON.stringify(value.err)}`);
      await this.prisma.mint.update({ where: { requestId: mintRequestId }, data: { status: 'CONFIRMED' } });
      await enqueueMail({
        notificationId: `ticket-minted-${mintRequestId}`,
        userId,
        template: 'ticket-minted',
        params: { ticketId, transaction: signature },
      });
      log.info({ jobId: job.id, mintRequestId, signature }, 'minted');
      return { signature };
    } catch (error) {
      if (error instanceof TransactionExpiredBlockheightExceededError) {
        log.warn({ jobId: job.id, mintRequestId }, 'blockhash expired; the next attempt checks and signs anew');
        throw error;
      }
      if (error instanceof UnrecoverableError) {
        await this.prisma.mint.update({
          where: { requestId: mintRequestId },
          data: { status: 'FAILED', failure: error.message },
        });
      }
      throw error;
    }
  }

  private async priorityFee(): Promise<number> {
    const fees = await this.connection.getRecentPrioritizationFees();
    const sorted = fees.map((fee) => fee.prioritizationFee).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.75)] ?? 0;
  }

  private async build(
    request: MintRequest,
    uri: string,
    microLamports: number,
    blockhash: string,
  ): Promise<VersionedTransaction> {
    const mint = Keypair.fromSeed(createHash('sha256').update(`${request.ticketId}|${uri}`).digest());
    const instructions = await this.instructions(mint.publicKey, new PublicKey(request.recipient));
    const draft = this.compile(instructions, blockhash);
    const simulated = await this.connection.simulateTransaction(draft, { sigVerify: false });
    const units = Math.ceil((simulated.value.unitsConsumed ?? 200_000) * 1.15);
    const transaction = this.compile(
      [
        ComputeBudgetProgram.setComputeUnitLimit({ units }),
        ComputeBudgetProgram.setComputeUnitPrice({ microLamports }),
        ...instructions,
      ],
      blockhash,
    );
    transaction.sign([this.payer, mint]);
    return transaction;
  }

  private compile(instructions: TransactionInstruction[], recentBlockhash: string): VersionedTransaction {
    const message = new TransactionMessage({ payerKey: this.payer.publicKey, recentBlockhash, instructions });
    return new VersionedTransaction(message.compileToV0Message());
  }

  private async instructions(mint: PublicKey, owner: PublicKey): Promise<TransactionInstruction[]> {
    const payer = this.payer.publicKey;
    const account = getAssociatedTokenAddressSync(mint, owner, false, TOKEN_2022_PROGRAM_ID);
    return [
      SystemProgram.createAccount({
        fromPubkey: payer,
        newAccountPubkey: mint,
        space: MINT_SIZE,
        lamports: await this.connection.getMinimumBalanceForRentExemption(MINT_SIZE),
        programId: TOKEN_2022_PROGRAM_ID,
      }),
      createInitializeMint2Instruction(mint, 0, payer, null, TOKEN_2022_PROGRAM_ID),
      createAssociatedTokenAccountIdempotentInstruction(payer, account, owner, mint, TOKEN_2022_PROGRAM_ID),
      createMintToInstruction(mint, account, payer, 1, [], TOKEN_2022_PROGRAM_ID),
    ];
  }
}

function signatureOf(transaction: VersionedTransaction): string {
  return bs58.encode(transaction.signatures[0]);
}
