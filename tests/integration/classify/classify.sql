\set ON_ERROR_STOP on
-- drop table comment;
BEGIN;
ALTER TABLE shop.orders
    ADD COLUMN note text;
ALTER TABLE shop."Orders" ALTER COLUMN status SET NOT NULL, ADD COLUMN b int;
ALTER TABLE items ADD CONSTRAINT items_order FOREIGN KEY (order_id) REFERENCES shop.orders NOT VALID;
COPY items FROM stdin;
1	drop table items;
2	'
\.
CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC; SELECT 1; SELECT 2; END;
CREATE UNIQUE INDEX ON shop.orders (note); DROP TABLE IF EXISTS a, b.c CASCADE;
CREATE TEMP TABLE t (a int);
DO $$ BEGIN PERFORM 1; END $$;
DO $$ BEGIN TRUNCATE items; END $$;
COMMIT;
