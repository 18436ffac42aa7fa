-- SPDX-License-Identifier: PostgreSQL
-- psql: the simple protocol, several statements in one text, \copy, portions by FETCH_COUNT, errors with all fields.
\set VERBOSITY verbose
\set simple `echo "$STATEMENTS/simple.sql"`
\set errors `echo "$STATEMENTS/errors.sql"`
\echo == connect
\echo :SERVER_VERSION_NUM :ENCODING :USER :DBNAME
select current_user, session_user, current_database();
select name, setting from pg_settings where name in ('application_name', 'client_encoding', 'DateStyle') order by name;
\echo == simple
\i :simple
select 1\; select 'two'\; select 3;
\dt public.*
\d orders
\df shout
\echo == prepared
prepare find (int) as select id, name from customers where id = $1;
execute find (1);
execute find (2);
execute find (null);
select id, amount from orders \gdesc
select format('select %s as made', n) from generate_series(1, 3) n \gexec
select 4711 as kept \gset
select :kept + 1;
\set FETCH_COUNT 10
select n, repeat('x', n) from generate_series(1, 25) n;
\unset FETCH_COUNT
\echo == copy
\copy bulk from program 'i=0; while [ $i -lt 5000 ]; do echo "$i,line $i ü"; i=$((i + 1)); done' (format csv)
\copy (select * from bulk order by id) to program 'md5sum'
\copy (select * from bulk order by id limit 3) to stdout (format csv, header)
copy bulk from stdin;
1	good
x	bad
\.
copy bulk from stdin;
1	good
\.
\copy bulk from stdin (format csv)
2,also good
\.
copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout;
select count(*) from bulk;
\echo == notify
listen bell;
notify bell, 'from itself';
\! psql -X -w -c "notify bell, 'from the other ü'"
select pg_sleep(0.5);
unlisten *;
\echo == large
\set text `head -c "$LARGE_BYTES" /dev/zero | tr '\0' x`
insert into large values (1, :'text') returning md5(value), length(value);
\copy (select 2, value from large) to 'large.copy'
\copy large from 'large.copy'
select id, md5(value), length(value) from large order by id;
\pset format unaligned
\o | md5sum
select value from large where id = 2;
\o
\pset format aligned
\unset text
\echo == errors
\i :errors
select 1 / 0\; select 2;
\errverbose
select 1\; selec 2\; select 3;
\echo == transactions
begin;
insert into customers values (10, 'Ten', null);
commit;
begin;
insert into customers values (11, 'Eleven', null);
rollback;
\set ON_ERROR_ROLLBACK on
begin;
insert into customers values (12, 'Twelve', null);
insert into customers values (12, 'Again', null);
commit;
\set ON_ERROR_ROLLBACK off
begin;
select 1 / 0;
select 1;
commit;
begin;
insert into late values (1), (1);
commit;
begin\; insert into customers values (13, 'Thirteen', null)\; commit\; select 1 / 0;
\set AUTOCOMMIT off
insert into customers values (14, 'Fourteen', null);
rollback;
\set AUTOCOMMIT on
select id from customers order by id;
\echo == cancel
\set sleeps 'select count(*) from pg_stat_activity where wait_event = \'PgSleep\''
\setenv SLEEPS :sleeps
\! psql -X -w -v VERBOSITY=verbose -c "select pg_sleep(30)" & until [ "$(psql -XAtw -c "$SLEEPS")" = 1 ]; do sleep 0.05; done; kill -INT $!; wait $!; echo "status $?"
select 'goes on';
\echo == refused
\! PGPASSWORD=wrong psql -X -w -c "select 1"; echo "status $?"
\! PGDATABASE=nowhere psql -X -w -c "select 1"; echo "status $?"
\! PGUSER=nobody_here psql -X -w -c "select 1"; echo "status $?"
\connect
\echo == terminated
\! psql -X -w -c "select pg_terminate_backend(pg_backend_pid())"; echo "status $?"
\echo == closed
select pg_sleep(0.3);
select count(*) from pg_stat_activity where usename = current_user;
