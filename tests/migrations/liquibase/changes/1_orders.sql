--liquibase formatted sql
-- SPDX-License-Identifier: PostgreSQL

--changeset shop:1
CREATE TABLE orders (id integer PRIMARY KEY, status text NOT NULL);
