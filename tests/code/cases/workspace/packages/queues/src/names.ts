export const NAMES = { mail: 'acme-mail' } as const;
