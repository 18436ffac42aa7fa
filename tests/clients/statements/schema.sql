-- SPDX-License-Identifier: PostgreSQL
-- What the clients work on; run directly, before them.
create table customers (id int primary key, name text not null, email text constraint customers_email unique);
create domain quantity as int constraint quantity_positive check (value > 0);
create table orders (id int primary key, customer int not null constraint orders_customer references customers,
    amount numeric(10, 2) constraint orders_amount check (amount > 0), count quantity default 1, state text default 'new');
create table late (id int constraint late_id unique deferrable initially deferred);
create table bulk (id int, line text);
create table large (id int primary key, value text);
alter table large alter column value set storage external;
insert into customers values (1, 'Ada', 'ada@example.org'), (2, 'Grace', 'grace@example.org');
create function shout(text) returns text language plpgsql as $$
begin
    raise notice 'shouting %', $1 using hint = 'whisper', detail = 'of ' || $1;
    return upper($1);
end $$;
grant all on all tables in schema public to shopper;
