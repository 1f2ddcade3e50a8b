import type { PrismaClient } from '@prisma/client';
import pTimeout from 'p-timeout';
import type { PinataSDK } from 'pinata';
import type { MintRequest } from './mint-request.js';

/** Keeps a ticket's metadata on IPFS. The same ticket gives the same bytes, and so the same CID. */
export class MetadataStore {
  constructor(
    private readonly pinata: PinataSDK,
    private readonly prisma: PrismaClient,
  ) {}

  async uriOf(request: MintRequest): Promise<string> {
    const stored = await this.prisma.mint.findUnique({
      where: { requestId: request.mintRequestId },
      select: { metadataUri: true },
    });
    if (stored?.metadataUri) return stored.metadataUri;

    const metadata = {
      name: request.name,
      image: request.imageUri,
      attributes: [{ trait_type: 'ticket', value: request.ticketId }],
    };
    const upload = await pTimeout(this.pinata.upload.public.json(metadata).name(`${request.ticketId}.json`), {
      milliseconds: 30_000,
    });
    const metadataUri = `ipfs://${upload.cid}`;
    await this.prisma.mint.update({ where: { requestId: request.mintRequestId }, data: { metadataUri } });
    return metadataUri;
  }
}
