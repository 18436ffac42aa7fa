// SPDX-License-Identifier: PostgreSQL
// postgres (postgres.js): pipelines all it is given, prepares by itself, listens on a connection of its own.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const { Readable, Writable } = require('stream');
const { pipeline } = require('stream/promises');
const postgres = require('postgres');

const say = (...words) => console.log(...words);
const pause = () => new Promise((done) => setTimeout(done, 20));
const digest = (data) => crypto.createHash('md5').update(data).digest('hex');
const statements = (name) => fs.readFileSync(`${process.env.STATEMENTS}/${name}`, 'utf8').trimEnd().split('\n');

function connect(how) {
  const ssl = process.env.PGSSLMODE === 'disable' ? false : { ca: fs.readFileSync(process.env.PGSSLROOTCERT, 'utf8') };
  return postgres({ ssl, max: 1, connect_timeout: 20, onnotice: (notice) => say('notice', shown(notice)),
    onparameter: (name, value) => say('parameter', name, value), ...how });
}

function shown(error) {
  return JSON.stringify(['name', 'severity', 'code', 'message', 'detail', 'hint', 'position', 'where', 'schema_name',
    'table_name', 'column_name', 'type_name', 'constraint_name', 'file', 'line', 'routine']
    .filter((name) => error[name] !== undefined).map((name) => [name, String(error[name]).replace(process.env.PGPORT, 'PORT')]));
}

async function told(query) {
  try {
    const results = await query;
    for (const result of Array.isArray(results[0]) ? results : [results]) {
      say(result.command, result.count, JSON.stringify((result.columns || []).map((column) => [column.name, column.type])));
      for (const row of result) say(JSON.stringify(row));
    }
  } catch (error) {
    say(shown(error));
  }
}

async function greet(sql) {
  say('== connect');
  await told(sql`select current_user, session_user, current_database()`);
}

async function prepare(sql) {
  say('== prepared');
  for (const number of [1, 2, 3, null]) {
    await told(sql`select id, name from customers where id = ${number}`);
    await told(sql`select ${number}::int + 1, ${'sieben'}::text, ${Buffer.from([0, 255])}::bytea, ${[1, 2]}::int[]`);
  }
  await told(sql`select ${'no number'}::int`);
  await told(sql`insert into bulk ${sql([1, 2, 3].map((id) => ({ id, line: `line ${id}` })))} returning *`);
  for await (const rows of sql`select n, repeat('x', n) from generate_series(1, 25) n`.cursor(10)) say(JSON.stringify(rows));
  await sql`select generate_series(1, 3) n`.forEach((row) => say(JSON.stringify(row)));
  const described = await sql`select id, amount from orders where state = ${'x'}`.describe();
  say(JSON.stringify(described.types), JSON.stringify(described.columns.map((column) => column.name)));
}

async function copy(sql) {
  say('== copy');
  const into = async (lines) => {
    try {
      await pipeline(Readable.from(lines, { objectMode: false }), await sql`copy bulk from stdin`.writable());
    } catch (error) {
      say(shown(error));
    }
  };
  await into((function* lines() {
    for (let n = 0; n < 20000; n += 1) yield `${n}\tline ${n} ü\n`;
  }()));
  const hash = crypto.createHash('md5');
  await pipeline(await sql`copy (select * from bulk order by id, line) to stdout (format csv)`.readable(),
    new Writable({ write(chunk, _, done) { hash.update(chunk); done(); } }));
  say(hash.digest('hex'));
  await told(sql`select count(*) from bulk`);
}

async function pipelines(sql) {
  say('== pipeline');
  const numbers = Array.from({ length: 300 }, (_, n) => n);
  const results = await Promise.all(numbers.map((n) => sql`select ${n}::int * 2 as twice, repeat('x', ${n}) as text`));
  say(digest(JSON.stringify(results)));
  const mixed = await Promise.allSettled([sql`select 1 as one`, sql`insert into customers values (1, 'Again', null)`,
    sql`select 1 / 0`, sql`selec`, sql`select 2 as two`, sql.unsafe('select 3; select 4')]);
  for (const each of mixed) say(each.status, each.reason ? shown(each.reason) : JSON.stringify(each.value));
  await told(sql.begin((inner) => [inner`insert into customers values (50, 'Fifty', null) returning id`,
    inner`select 'within'`]));
}

async function notify(sql, other) {
  say('== notify');
  const heard = [];
  const listening = await sql.listen('bell', (payload) => heard.push(payload));
  await told(other`notify bell, 'from the other ü'`);
  await sql.notify('bell', 'from itself');
  while (heard.length < 2) await pause();
  say(JSON.stringify(heard));
  await listening.unlisten();
}

async function carryLarge(sql) {
  say('== large');
  const text = '0123456789abcdef'.repeat(process.env.LARGE_BYTES / 16);
  await told(sql`insert into large values (1, ${text}) returning md5(value), length(value)`);
  const [row] = await sql`select value from large`;
  say(row.value.length, digest(row.value));
}

async function fail(sql) {
  say('== errors');
  for (const text of statements('errors.sql')) {
    await told(sql.unsafe(text));
    await told(sql.unsafe(text, [], { prepare: true }));
  }
}

async function transact(sql) {
  say('== transactions');
  const attempt = (work) => told(sql.begin(work));
  await attempt((inner) => inner`insert into customers values (10, 'Ten', null)`);
  await attempt(async (inner) => {
    await inner`insert into customers values (11, 'Eleven', null)`;
    throw new Error('the client gives up');
  });
  await attempt(async (inner) => {
    await inner`insert into customers values (12, 'Twelve', null)`;
    await inner.savepoint((deeper) => deeper`insert into customers values (12, 'Again', null)`).catch((error) => say(shown(error)));
    return inner`select 'goes on'`;
  });
  await attempt((inner) => inner`insert into late values (1), (1)`);
  await told(sql`select id from customers order by id`);
}

async function cancel(sql, other) {
  say('== cancel');
  const query = sql`select pg_sleep(30)`;
  const asleep = told(query);
  while ((await other`select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep'`)[0].n === 0) await pause();
  query.cancel();
  await asleep;
  await told(sql`select 'goes on'`);
}

async function refuse() {
  say('== refused');
  for (const how of [{ password: 'wrong' }, { database: 'nowhere' }, { user: 'nobody_here' }]) {
    const sql = connect(how);
    await told(sql`select 1`);
    await sql.end();
  }
}

async function terminate() {
  say('== terminated');
  const victim = connect();
  await told(victim`select pg_terminate_backend(pg_backend_pid())`);
  await told(victim`select 'connected anew'`);
  await victim.end();
}

async function main() {
  const sql = connect();
  const other = connect();
  await greet(sql);
  await told(other`select 1`);
  say('== simple');
  for (const text of statements('simple.sql')) await told(sql.unsafe(text));
  await told(sql.unsafe("select 1; select 'two'; select 3"));
  await prepare(sql);
  await copy(sql);
  await pipelines(sql);
  await notify(sql, other);
  await carryLarge(sql);
  await fail(sql);
  await transact(sql);
  await cancel(sql, other);
  await refuse();
  await terminate();
  say('== closed');
  await sql.end();
  while ((await other`select count(*)::int as n from pg_stat_activity where usename = current_user`)[0].n > 1) await pause();
  await other.end();
}

main();
