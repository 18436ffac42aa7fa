-- SPDX-License-Identifier: PostgreSQL
\set VERBOSITY verbose
copy items to stdout;
copy (select id, name from items where id < 4) to stdout with (format csv, header);
copy (select 1 / (3 - n) from generate_series(1, 5) n) to stdout;
copy notes from stdin;
one
two
\.
select * from notes order by note;
copy pairs from stdin;
1	2
3	4
1	2
\.
select * from pairs;
copy pairs from stdin;
1	2	3
\.
copy pairs from stdin;
x	y
\.
copy nowhere from stdin;
copy pairs from stdin with (format csv);
5,6
7,8
\.
select * from pairs order by a;
\copy notes to '/dev/null'
\copy (select note from notes order by note) to stdout
begin;
copy pairs from stdin;
9	9
\.
copy pairs from stdin;
9	9
\.
select 1;
rollback;
copy pairs to stdout\; select 1\; copy notes to stdout;
select 1\; copy pairs to stdout\; select 1 / 0\; select 2;
copy items (id, name, price) from stdin;
200	two hundred	-5
\.
copy items (id, name, parent) from stdin;
201	orphan	4711
\.
copy items from '/nonexistent/file';
copy notes from program 'echo program';
select count(*) from notes;
delete from notes;
delete from pairs;
