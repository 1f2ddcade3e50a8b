import { enqueue as put } from './queue.js';

put('mail', { a: 1 });
put('push', { a: 1 }, { attempts: 9 });
