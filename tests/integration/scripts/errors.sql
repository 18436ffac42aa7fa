-- SPDX-License-Identifier: PostgreSQL
\set VERBOSITY verbose
selec 1;
select 'unterminated
'
;
select 1 from nowhere;
select nothing from items;
select 1 / 0;
select 1; select 1 / 0; select 2;
select 1\; select 1 / 0\; select 2;
select 1\; selec 2\; select 3;
select 'x'::int;
select fail('P0001');
select fail('23514');
select fail('57014');
select fail('01000');
insert into items values (1, 'again', 1, null);
insert into items values (100, null, 1, null);
insert into items values (100, 'negative', -1, null);
insert into items values (100, 'orphan', 1, 4711);
insert into pairs values (1, 2), (1, 2);
select 0::positive;
begin;
insert into items values (101, 'orphan', 1, 4711);
commit;
begin;
insert into items values (101, 'orphan', 1, 4711);
set constraints all immediate;
select 1;
rollback;
begin;
select 1 / 0;
select 1;
selec 1;
commit;
begin;
insert into notes values ('lost');
rollback;
select count(*) from notes;
commit;
begin;
begin;
rollback;
savepoint nowhere;
begin;
savepoint a;
select 1 / 0;
select 1;
rollback to a;
select 'alive';
savepoint b;
insert into notes values ('kept');
release b;
release b;
rollback to savepoint a;
commit and chain;
select 1;
rollback;
begin isolation level serializable read only;
insert into notes values ('read only');
rollback;
\set VERBOSITY default
select 1 / 0;
\errverbose
select 1 +
 2 +
 nowhere
 + 3;
\set VERBOSITY sqlstate
select 1 / 0;
\set VERBOSITY terse
selec;
\set ON_ERROR_ROLLBACK on
begin;
insert into notes values ('rolled');
select 1 / 0;
insert into notes values ('forward');
commit;
select * from notes;
delete from notes;
set statement_timeout = 50;
select pg_sleep(5);
reset statement_timeout;
set lock_timeout = 1;
reset all;
select pg_terminate_backend(pg_backend_pid() * 0 + 1);
\set ON_ERROR_STOP on
select 1 / 0;
select 'never reached';
