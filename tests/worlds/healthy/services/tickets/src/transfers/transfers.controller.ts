import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { IsUUID } from 'class-validator';
import { TransfersService } from './transfers.service';

class TransferDto {
  @IsUUID() transferId: string;
  @IsUUID() toUserId: string;
}

@Controller('tickets')
export class TransfersController {
  constructor(private readonly transfers: TransfersService) {}

  @Post(':ticketId/transfers')
  @HttpCode(202)
  async request(@Param('ticketId') ticketId: string, @Body() body: TransferDto): Promise<void> {
    await this.transfers.request(body.transferId, ticketId, body.toUserId);
  }
}
