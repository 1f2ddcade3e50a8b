import { mail, start } from './queues';

start();
mail.add('x', {}); // expect: producer queue=mail live=true
