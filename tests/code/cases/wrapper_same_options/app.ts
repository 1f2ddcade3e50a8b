import * as jobs from './queue';

jobs.enqueue(jobs.mail, 'hello');
