export * from './deeper';
export const ATTEMPTS = 11;
