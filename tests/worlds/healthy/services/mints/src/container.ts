import { Connection, Keypair } from '@solana/web3.js';
import { Contract, FetchRequest, JsonRpcProvider, NonceManager, Wallet, parseUnits } from 'ethers';
import { PinataSDK } from 'pinata';
import { prisma } from './database.js';
import { EvmMinter } from './evm-minter.js';
import { MetadataStore } from './metadata-store.js';
import { SolanaMinter } from './solana-minter.js';

const TICKETS_ABI = ['function safeMint(address to, uint256 tokenId, string uri)'];

function polygon(): JsonRpcProvider {
  const request = new FetchRequest(process.env.POLYGON_RPC_URL!);
  request.timeout = 15_000;
  return new JsonRpcProvider(request, 137, { staticNetwork: true });
}

const metadata = new MetadataStore(
  new PinataSDK({ pinataJwt: process.env.PINATA_JWT, pinataGateway: process.env.PINATA_GATEWAY }),
  prisma,
);

export function createEvmMinter(): EvmMinter {
  const provider = polygon();
  const signer = new NonceManager(new Wallet(process.env.MINTER_PRIVATE_KEY!, provider));
  const tickets = new Contract(process.env.TICKETS_ADDRESS!, TICKETS_ABI, signer);
  return new EvmMinter(provider, signer, tickets, metadata, prisma, {
    maxFeePerGas: parseUnits(process.env.MAX_FEE_GWEI ?? '300', 'gwei'),
  });
}

export function createSolanaMinter(): SolanaMinter {
  const connection = new Connection(process.env.SOLANA_RPC_URL!, {
    commitment: 'confirmed',
    confirmTransactionInitialTimeout: 90_000,
    fetch: (input, init) => fetch(input, { ...init, signal: AbortSignal.timeout(15_000) }),
  });
  const payer = Keypair.fromSecretKey(Buffer.from(process.env.SOLANA_PAYER_KEY!, 'base64'));
  return new SolanaMinter(connection, payer, metadata, prisma);
}
