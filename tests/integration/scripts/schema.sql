-- SPDX-License-Identifier: PostgreSQL
-- What the other scripts and the random pipelines work on; run directly, before them.
create table items (id int primary key, name text not null, price numeric check (price >= 0), parent int
    references items deferrable initially deferred);
insert into items select n, 'item ' || n, n * 1.5, nullif(n - 1, 0) from generate_series(1, 20) n;
create table notes (note text);
create table pairs (a int, b int, unique (a, b));
create domain positive as int check (value > 0);
create function shout(text) returns text language plpgsql as $$
begin
    raise notice 'shouting %', $1;
    raise warning 'loudly' using hint = 'whisper', detail = 'of ' || $1;
    return upper($1);
end $$;
create function fail(code text) returns int language plpgsql as $$
begin raise exception 'failed on purpose' using errcode = code, hint = 'do not', schema = 's', table = 't'; end $$;
