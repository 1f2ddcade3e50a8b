import type { PrismaClient } from '@prisma/client';
import { enqueueMail } from '@boxoffice/jobs';
import { log } from '@boxoffice/observability';
import { DelayedError, UnrecoverableError, type Job } from 'bullmq';
import { isError, toBigInt, type Contract, type JsonRpcProvider, type NonceManager } from 'ethers';
import type { MetadataStore } from './metadata-store.js';
import type { MintRequest } from './mint-request.js';

const CONFIRMATIONS = 3;
const CONFIRMATION_TIMEOUT = 180_000;
const GAS_RETRY = 120_000;

export interface EvmLimits {
  /** Wei per gas above which minting waits. */
  maxFeePerGas: bigint;
}

/** Mints tickets on Polygon. A ticket's id is its token id: the contract refuses a second mint of it. */
export class EvmMinter {
  constructor(
    private readonly provider: JsonRpcProvider,
    private readonly signer: NonceManager,
    private readonly tickets: Contract,
    private readonly metadata: MetadataStore,
    private readonly prisma: PrismaClient,
    private readonly limits: EvmLimits,
  ) {}

  async mint(job: Job<MintRequest>, token?: string): Promise<{ hash: string }> {
    const { mintRequestId, ticketId, recipient } = job.data;
    const logger = log.child({ jobId: job.id, mintRequestId });

    const prior = await this.prisma.mint.findUnique({ where: { requestId: mintRequestId } });
    if (prior?.status === 'CONFIRMED') return { hash: prior.transactionId! };
    if (prior?.transactionId) return this.confirm(job, prior.transactionId);

    await this.prisma.mint.upsert({
      where: { requestId: mintRequestId },
      create: { requestId: mintRequestId, ticketId, chain: 'evm', recipient },
      update: { status: 'PENDING', failure: null },
    });

    const fees = await this.provider.getFeeData();
    if (!fees.maxFeePerGas || fees.maxFeePerGas > this.limits.maxFeePerGas) {
      logger.info({ maxFeePerGas: fees.maxFeePerGas?.toString() }, 'gas is dear, minting waits');
      await job.moveToDelayed(Date.now() + GAS_RETRY, token);
      throw new DelayedError();
    }

    const uri = await this.metadata.uriOf(job.data);
    const tokenId = toBigInt(`0x${ticketId.replaceAll('-', '')}`);
    try {
      const estimate: bigint = await this.tickets.safeMint.estimateGas(recipient, tokenId, uri);
      const gasLimit = (estimate * 125n) / 100n;
      const balance = await this.provider.getBalance(await this.signer.getAddress());
      if (balance < gasLimit * fees.maxFeePerGas) throw new Error(`minter's wallet is low: ${balance} wei`);

      const transaction = await this.tickets.safeMint(recipient, tokenId, uri, {
        gasLimit,
        maxFeePerGas: fees.maxFeePerGas,
        maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
      });
      await this.prisma.mint.update({
        where: { requestId: mintRequestId },
        data: { status: 'SENT', transactionId: transaction.hash },
      });
      logger.info({ hash: transaction.hash }, 'mint sent');
      return await this.confirm(job, transaction.hash);
    } catch (error) {
      if (isError(error, 'NONCE_EXPIRED') || isError(error, 'REPLACEMENT_UNDERPRICED')) {
        this.signer.reset();
        throw error; // the next attempt looks the hash up first
      }
      if (isError(error, 'CALL_EXCEPTION')) {
        await this.prisma.mint.update({
          where: { requestId: mintRequestId },
          data: { status: 'FAILED', failure: error.shortMessage },
        });
        throw new UnrecoverableError(`mint reverted: ${error.shortMessage}`);
      }
      throw error;
    }
  }

  private async confirm(job: Job<MintRequest>, hash: string): Promise<{ hash: string }> {
    const { mintRequestId, ticketId, userId } = job.data;
    const receipt = await this.provider.waitForTransaction(hash, CONFIRMATIONS, CONFIRMATION_TIMEOUT);
    if (!receipt) throw new Error(`mint ${hash} is not confirmed yet`);
    if (receipt.status !== 1) throw new UnrecoverableError(`mint ${hash} reverted`);
    await this.prisma.mint.update({ where: { requestId: mintRequestId }, data: { status: 'CONFIRMED' } });
    await enqueueMail({
      notificationId: `ticket-minted-${mintRequestId}`,
      userId,
      template: 'ticket-minted',
      params: { ticketId, transaction: hash },
    });
    return { hash };
  }
}
