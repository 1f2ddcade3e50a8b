import { ATTEMPTS } from './index'; // a cycle
export const options = () => ({ attempts: ATTEMPTS });
