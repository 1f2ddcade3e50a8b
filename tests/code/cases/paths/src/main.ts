import { mail } from '@queues/mail';
import { ATTEMPTS } from '~/options';

mail.add('x', {}, { attempts: ATTEMPTS }); // expect: producer queue=mail attempts=12
