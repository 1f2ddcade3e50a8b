import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { Queue } from 'bullmq';

@Injectable()
export class MailService {
  constructor(
    @InjectQueue('mail') private readonly mail: Queue,
    @InjectQueue('push') private readonly push: Queue,
  ) {}
  async send(id: string) {
    await this.mail.add('send', { id }); // expect: producer queue=mail attempts=5 removeOnComplete=none
    await this.push.add('send', { id }); // expect: producer queue=push attempts=3 removeOnComplete=true
  }
}
