-- SPDX-License-Identifier: PostgreSQL
-- migrate:up
CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL);

-- migrate:down
