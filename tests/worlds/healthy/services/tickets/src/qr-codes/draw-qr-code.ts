import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { log } from '@boxoffice/observability';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { SandboxedJob } from 'bullmq';
import { toBuffer } from 'qrcode';

export interface QrCodeJob {
  ticketId: string;
  transferId: string;
}

const s3 = new S3Client({
  region: process.env.AWS_REGION,
  requestHandler: new NodeHttpHandler({ connectionTimeout: 3_000, requestTimeout: 10_000 }),
});

/** Runs in a process of its own: drawing blocks. The same ticket gives the same picture under the same key. */
export default async function drawQrCode(job: SandboxedJob<QrCodeJob>): Promise<{ key: string }> {
  const { ticketId, transferId } = job.data;
  const png = await toBuffer(`boxoffice:${ticketId}:${transferId}`, { errorCorrectionLevel: 'H', width: 800 });
  const key = `qr/${ticketId}.png`;
  await s3.send(
    new PutObjectCommand({ Bucket: process.env.QR_BUCKET, Key: key, Body: png, ContentType: 'image/png' }),
    { abortSignal: AbortSignal.timeout(20_000) },
  );
  log.info({ jobId: job.id, key }, 'QR code stored');
  return { key };
}
