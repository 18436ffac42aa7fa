-- SPDX-License-Identifier: PostgreSQL
CREATE TABLE "orders" ("id" integer PRIMARY KEY NOT NULL, "status" text NOT NULL);
