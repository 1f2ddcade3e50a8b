import { InjectQueue } from '@nestjs/bullmq';
import { Body, Controller, Post } from '@nestjs/common';
import { Queue } from 'bullmq';

@Controller('tickets')
export class TicketsController {
  constructor(@InjectQueue('tickets') private readonly queue: Queue) {}

  @Post('transfer')
  async transfer(@Body() body: any) {
    await this.queue.add('transfer-ticket', body, { priority: 20 });
    await this.queue.add('ticket-analytics', { ticketId: body.ticketId }, { priority: 1 });
    await this.queue.add('cleanup-holds', {});
  }
}
