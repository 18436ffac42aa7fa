--liquibase formatted sql
-- SPDX-License-Identifier: PostgreSQL

--changeset shop:2
UPDATE orders SET status = lower(status);
ALTER TABLE orders ADD CONSTRAINT orders_status_check CHECK (status IN ('open', 'paid'));
