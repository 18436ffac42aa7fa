-- SPDX-License-Identifier: PostgreSQL
\timing off
select 1;
select 1 as one, 'two' as two, null as three, E'tab\there' as four, 1.5::numeric, true, array[1,2,3], '{"a": 1}'::json;
select * from items order by id;
\x on
select * from items where id < 3 order by id;
\x auto
select id, name from items where id = 7;
\x off
;
;;
select 1; select 2; select 3;
select 1\; select 2\; select 3;
select generate_series(1, 5);
table pairs;
values (1, 'a'), (2, 'b');
with recursive n(i) as (select 1 union all select i + 1 from n where i < 10) select sum(i) from n;
select /* a comment; with a semicolon */ 1; -- and another; comment
select $tag$ dollar ; quoted $$ $tag$, 'it''s', "id" from items limit 1;
select shout('hello');
set client_min_messages = error;
select shout('hello');
reset client_min_messages;
\set name 'item 3'
select * from items where name = :'name';
\d items
\dt
\df shout
\conninfo
\echo :ROW_COUNT :SQLSTATE
select 1 as x, 2 as y \gset
\echo :x :y
select id, name from items where id < 4 \gdesc
select 'select ' || n from generate_series(1, 3) n \gexec
select n, n % 2, n from generate_series(1, 4) n \crosstabview
\encoding
set client_encoding = 'LATIN1';
show client_encoding;
select 'grün';
reset client_encoding;
show application_name;
set application_name = 'renamed';
show application_name;
set standard_conforming_strings = off;
select 'a\'b', E'c\\d';
set standard_conforming_strings = on;
select 'a\b';
select repeat('long ', 5000);
select string_agg(n::text, ',') from generate_series(1, 20000) n;
explain (costs off) select * from items where id = 1;
show server_version_num;
listen bell;
notify bell, 'payload';
unlisten *;
