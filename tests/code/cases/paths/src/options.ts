export const ATTEMPTS = 12;
