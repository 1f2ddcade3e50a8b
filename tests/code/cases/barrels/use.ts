import { mailQueue, options } from '.';

mailQueue.add('x', {}, options()); // expect: producer queue=mail attempts=11
