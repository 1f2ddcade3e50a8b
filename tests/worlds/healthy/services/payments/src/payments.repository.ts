import { pool } from './db.js';

export type PaymentStatus = 'PROCESSING' | 'AUTHORIZED' | 'PAID' | 'DECLINED' | 'REJECTED';

export interface Payment {
  orderId: string;
  userId: string;
  status: PaymentStatus;
  amount: number;
  currency: string;
  intentId: string | null;
}

const COLUMNS = 'order_id AS "orderId", user_id AS "userId", status, amount, currency, intent_id AS "intentId"';

/** Makes the order's one payment row, or leaves the one that is there, and gives it back as it stands. */
export async function openPayment(order: {
  orderId: string;
  userId: string;
  amount: number;
  currency: string;
}): Promise<Payment> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO payments (order_id, user_id, status, amount, currency)
       VALUES ($1, $2, 'PROCESSING', $3, $4)
       ON CONFLICT (order_id) DO NOTHING`,
      [order.orderId, order.userId, order.amount, order.currency],
    );
    const { rows } = await client.query<Payment>(
      `SELECT ${COLUMNS} FROM payments WHERE order_id = $1 FOR UPDATE`,
      [order.orderId],
    );
    await client.query('COMMIT');
    return rows[0];
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

export async function findPayment(orderId: string): Promise<Payment | undefined> {
  const { rows } = await pool.query<Payment>(`SELECT ${COLUMNS} FROM payments WHERE order_id = $1`, [orderId]);
  return rows[0];
}

export async function markPayment(orderId: string, status: PaymentStatus, intentId?: string): Promise<void> {
  await pool.query(
    `UPDATE payments SET status = $2, intent_id = COALESCE($3, intent_id), updated_at = now() WHERE order_id = $1`,
    [orderId, status, intentId ?? null],
  );
}
