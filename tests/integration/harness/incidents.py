# SPDX-License-Identifier: PostgreSQL
"""The tables of incidents as they happened elsewhere, whose constraints and code drift apart."""
import psycopg2

# What the application knows; the constraint allows the first five.
STATUSES = ("new", "paid", "cooking", "ready", "served", "canceled", "refunded", "on_hold")

TABLES = """
drop table if exists orders, inventory_transactions, program_items, "Lead";
create table orders (id int primary key, status text not null
    constraint orders_status_check check (status in ('new', 'paid', 'cooking', 'ready', 'served')));
insert into orders select n, 'new' from generate_series(1, 40) n;
create table inventory_transactions (id serial primary key, reference_type text constraint inventory_reference
    check (reference_type in ('order', 'transfer', 'member_program_item_schedule')));
create table program_items (id serial primary key);
create or replace function book() returns trigger language plpgsql as $$
begin
    insert into inventory_transactions (reference_type) values ('member_program_item_schedule');
    return new;
end $$;
create trigger book after insert on program_items for each row execute function book();
create table "Lead" (id serial primary key, customer_id int);
insert into "Lead" (customer_id) values (7), (8);
alter table orders owner to app;
alter table inventory_transactions owner to app;
alter table program_items owner to app;
alter table "Lead" owner to app;
"""


def attempt(connection, sql, *values):
    """The SQLSTATE of what it ends in, or None."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
        return None
    except psycopg2.Error as error:
        return error.pgcode
