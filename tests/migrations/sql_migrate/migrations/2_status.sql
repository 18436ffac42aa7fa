-- SPDX-License-Identifier: PostgreSQL
-- +migrate Up
UPDATE orders SET status = lower(status);
ALTER TABLE orders ADD CONSTRAINT orders_status_check CHECK (status IN ('open', 'paid'));
