# SPDX-License-Identifier: PostgreSQL
"""A schema with every constraint that can be violated, each in its own table, and ways to violate it from within."""

SETUP = """
create extension if not exists btree_gist;
drop schema if exists v cascade;
create schema v;
set search_path = v, public;
create table uni (id int primary key, a int, b int, label text, constraint uni_pair unique (a, b));
create unique index uni_label on uni (lower(label));
insert into uni values (1, 1, 1, 'one');
create table book (room int, during int4range, constraint book_overlap exclude using gist (room with =, during with &&));
insert into book select n, '[1,5)' from generate_series(1, 200) n;
create table parent (id int primary key);
create table child (id int primary key, parent int constraint child_parent references parent);
insert into parent values (1);
insert into child values (1, 1);
create table late_child (id serial primary key, parent int constraint late_parent references parent
    deferrable initially deferred);
create table late_unique (id int constraint late_unique_id unique deferrable initially deferred);
create table strict (id int not null, state text constraint strict_state check (state in ('new', 'done')));
create table "Odd ""Name" ("A b" int not null, other int constraint "Odd, check" check (other > 0));
create domain positive as int constraint positive_value check (value > 0);
create domain present as text not null;
create table typed (n positive, p present default 'x');
create table parts (id int, part int constraint parts_part check (part < 100)) partition by range (part);
create table parts_low partition of parts for values from (0) to (10);
create table parts_rest partition of parts for values from (10) to (20);
create table listed (id int) partition by list (id);
create table listed_one partition of listed for values in (1);
create table listed_default partition of listed default;
create view new_ones as select * from strict where state = 'new' with check option;
create table audit (id int constraint audit_id primary key);
insert into audit values (1);
create table watched (id int);
create function watch() returns trigger language plpgsql as $$
begin insert into v.audit values (1); return new; end $$;
create trigger watch before insert on watched for each row execute function watch();
create function add_parent(n int) returns int language plpgsql as $$
begin insert into v.parent values (n); return n; end $$;
create function raised(code text, named bool default true) returns int language plpgsql as $$
begin
    if named then
        raise exception 'raised constraint "con"' using errcode = code, schema = 'made', table = 'up', column = 'col',
            constraint = 'con', datatype = 'typ';
    end if;
    raise exception 'raised' using errcode = code;
end $$;
create procedure called() language plpgsql as $$ begin insert into v.strict values (null, 'new'); end $$;
grant all on schema v to public;
grant all on all tables in schema v to public;
"""
