// SPDX-License-Identifier: PostgreSQL
// node-postgres: simple queries, unnamed and named statements, cursors, COPY as streams.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const { Readable, Writable } = require('stream');
const { pipeline } = require('stream/promises');
const { Client } = require('pg');
const Cursor = require('pg-cursor');
const { from: copyFrom, to: copyTo } = require('pg-copy-streams');

const say = (...words) => console.log(...words);
const pause = () => new Promise((done) => setTimeout(done, 20));
const digest = (data) => crypto.createHash('md5').update(data).digest('hex');
const statements = (name) => fs.readFileSync(`${process.env.STATEMENTS}/${name}`, 'utf8').trimEnd().split('\n');

async function connect(how) {
  const ssl = process.env.PGSSLMODE === 'disable' ? false : { ca: fs.readFileSync(process.env.PGSSLROOTCERT, 'utf8') };
  const client = new Client({ ssl, connectionTimeoutMillis: 20000, ...how });
  client.statuses = {};
  await new Promise((done, fail) => {
    client.connection.on('parameterStatus', (message) => { client.statuses[message.parameterName] = message.parameterValue; });
    client.connect((error) => (error ? fail(error) : done()));
  });
  client.on('notice', (notice) => say('notice', shown(notice)));
  client.on('error', (error) => say('client error', shown(error)));
  return client;
}

function shown(error) {
  const names = ['name', 'severity', 'code', 'message', 'detail', 'hint', 'position', 'internalPosition', 'internalQuery',
    'where', 'schema', 'table', 'column', 'dataType', 'constraint', 'file', 'line', 'routine'];
  return JSON.stringify(names.filter((name) => error[name] !== undefined).map((name) => [name, error[name]]));
}

async function run(client, sql, values) {
  try {
    const results = await client.query(typeof sql === 'string' && values ? { text: sql, values } : sql);
    for (const result of Array.isArray(results) ? results : [results]) {
      say(result.command, result.rowCount, JSON.stringify(result.fields.map((field) => [field.name, field.dataTypeID])));
      for (const row of result.rows) say(JSON.stringify(row));
    }
  } catch (error) {
    say(shown(error));
  }
}

async function value(client, sql) {
  return Object.values((await client.query(sql)).rows[0])[0];
}

async function greet(client) {
  say('== connect');
  say(JSON.stringify(client.statuses), client.connection.stream.encrypted === true);
  await run(client, 'select current_user, session_user, current_database()');
}

async function prepare(client) {
  say('== prepared');
  for (const number of [1, 2, 3, null]) {
    await run(client, { name: 'find', text: 'select id, name from customers where id = $1', values: [number] });
    await run(client, 'select $1::int + 1, $2::text, $3::bytea', [number, 'sieben', Buffer.from([0, 255])]);
  }
  await run(client, 'select $1::int', ['no number']);
  await run(client, { name: 'broken', text: 'select nothing', values: [] });
  await run(client, { text: 'select generate_series(1, 9)', values: [], rows: 4 });
  const cursor = client.query(new Cursor("select n, repeat('x', n) from generate_series(1, 25) n"));
  for (let rows = await cursor.read(10); rows.length > 0; rows = await cursor.read(10)) say(JSON.stringify(rows));
  await cursor.close();
}

async function copyIn(client, sql, source) {
  try {
    const stream = client.query(copyFrom(sql));
    await pipeline(source, stream);
    say('copied', stream.rowCount);
  } catch (error) {
    say(shown(error));
  }
}

async function copyOut(client, sql) {
  const hash = crypto.createHash('md5');
  try {
    const stream = client.query(copyTo(sql));
    await pipeline(stream, new Writable({ write(chunk, _, done) { hash.update(chunk); done(); } }));
    say('copied', stream.rowCount, hash.digest('hex'));
  } catch (error) {
    say(shown(error));
  }
}

async function copy(client) {
  say('== copy');
  await copyIn(client, 'copy bulk from stdin', Readable.from((function* lines() {
    for (let n = 0; n < 20000; n += 1) yield `${n}\tline ${n} ü\n`;
  }()), { objectMode: false }));
  await copyOut(client, 'copy (select * from bulk order by id, line) to stdout (format csv)');
  await copyIn(client, 'copy bulk from stdin', Readable.from(['1\tgood\nx\tbad\n']));
  await copyOut(client, 'copy (select 10 / (3 - n) from generate_series(1, 5) n) to stdout');
  await run(client, 'select count(*) from bulk');
}

async function notify(client, other) {
  say('== notify');
  const heard = [];
  client.on('notification', (message) => heard.push([message.channel, message.payload]));
  await run(client, 'listen bell');
  await run(other, "notify bell, 'from the other ü'");
  while (heard.length < 1) await pause();
  await run(client, "select pg_notify('bell', $1)", ['from itself']);
  while (heard.length < 2) await pause();
  say(JSON.stringify(heard));
  await run(client, 'unlisten *');
}

async function carryLarge(client) {
  say('== large');
  const text = '0123456789abcdef'.repeat(process.env.LARGE_BYTES / 16);
  await run(client, 'insert into large values (1, $1) returning md5(value), length(value)', [text]);
  const back = await value(client, 'select value from large');
  say(back.length, digest(back));
}

async function fail(client) {
  say('== errors');
  for (const sql of statements('errors.sql')) {
    await run(client, sql);
    await run(client, sql, []);
  }
}

async function transact(client) {
  say('== transactions');
  const all = ['begin', "insert into customers values (10, 'Ten', null)", 'commit', 'begin',
    "insert into customers values (11, 'Eleven', null)", 'rollback', 'begin',
    "insert into customers values (12, 'Twelve', null)", 'savepoint s', "insert into customers values (12, 'Again', null)",
    'select 1', 'rollback to s', 'commit', 'begin', 'insert into late values (1), (1)', 'commit', 'begin', 'select 1 / 0',
    'commit', 'select id from customers order by id'];
  for (const sql of all) await run(client, sql);
  await Promise.all([1, 2, 3].map((n) => run(client, 'select $1::int', [n])));
}

async function cancel(client, other) {
  say('== cancel');
  const asleep = run(client, 'select pg_sleep(30)');
  while (await value(other, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") === '0') await pause();
  const messenger = new Client({ ssl: client.ssl });
  messenger.cancel(client, client._activeQuery || client.activeQuery);
  await asleep;
  await run(client, "select 'goes on'");
}

async function refuse() {
  say('== refused');
  for (const how of [{ password: 'wrong' }, { database: 'nowhere' }, { user: 'nobody_here' }]) {
    try {
      await connect(how);
    } catch (error) {
      say(shown(error));
    }
  }
}

async function terminate() {
  say('== terminated');
  const victim = await connect();
  const ended = new Promise((done) => victim.on('end', done));
  await run(victim, 'select pg_terminate_backend(pg_backend_pid())');
  await ended;
}

async function main() {
  const client = await connect();
  const other = await connect();
  await greet(client);
  say('== simple');
  for (const sql of statements('simple.sql')) await run(client, sql);
  await run(client, "select 1; select 'two'; select 3");
  await prepare(client);
  await copy(client);
  await notify(client, other);
  await carryLarge(client);
  await fail(client);
  await transact(client);
  await cancel(client, other);
  await refuse();
  await terminate();
  say('== closed');
  await client.end();
  while (await value(other, 'select count(*) from pg_stat_activity where usename = current_user') !== '1') await pause();
  await other.end();
}

main();
