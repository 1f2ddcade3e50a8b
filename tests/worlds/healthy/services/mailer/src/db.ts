import knex from 'knex';

export const db = knex({
  client: 'pg',
  connection: {
    connectionString: process.env.DATABASE_URL,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 10_000,
    query_timeout: 12_000,
  },
  pool: { min: 0, max: 10 },
  acquireConnectionTimeout: 8_000,
});
