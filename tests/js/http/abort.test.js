import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { neon, NeonDbError } from '@neondatabase/serverless';

import { databaseUrl } from '../endpoint.js';
import { pool } from '../roads.js';
import { until } from '../until.js';

describe('aborting', () => {
  const sql = neon(databaseUrl);
  const sessions = pool();
  after(() => sessions.end());

  /** How many sessions run a statement that has this mark. */
  async function running(mark) {
    const { rows } = await sessions.query(
      `select count(*)::int as n from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like $1`,
      [`%${mark}%`],
    );
    return rows[0].n;
  }

  for (const [name, start] of [
    ['a query', (signal) => sql.query('select pg_sleep(600) /* js-abort-query */', [], { fetchOptions: { signal } })],
    ['a transaction', (signal) => sql.transaction([sql`select 1`, sql`select pg_sleep(600) /* js-abort-transaction */`], { fetchOptions: { signal } })],
    [
      'a query of a function with all options set',
      (signal) => neon(databaseUrl, { fetchOptions: { signal } }).query('select pg_sleep(600) /* js-abort-function */'),
    ],
  ]) {
    test(`${name} while it runs cancels it on the server`, async () => {
      const mark = `js-abort-${name.split(' ').includes('function') ? 'function' : name.slice(2)}`;
      const controller = new AbortController();
      const query = start(controller.signal);
      const ended = assert.rejects(query, NeonDbError);
      await until(async () => (await running(mark)) === 1);
      controller.abort();
      await ended;
      await until(async () => (await running(mark)) === 0);
    });
  }

  test('before it is sent runs nothing', async () => {
    await sql`drop table if exists js_abort`;
    const query = sql.query('create table js_abort (i int)', [], { fetchOptions: { signal: AbortSignal.abort() } });
    await assert.rejects(query, (error) => error instanceof NeonDbError && error.sourceError.name === 'AbortError');
    assert.deepEqual(await sql`select to_regclass('js_abort')::text as name`, [{ name: null }]);
  });

  test('by a timeout', async () => {
    const query = sql.query('select pg_sleep(600) /* js-abort-timeout */', [], { fetchOptions: { signal: AbortSignal.timeout(200) } });
    await assert.rejects(query, (error) => error.sourceError.name === 'TimeoutError');
    await until(async () => (await running('js-abort-timeout')) === 0);
  });

  test('after it has ended changes nothing', async () => {
    const controller = new AbortController();
    const rows = await sql.query('select 1 as one', [], { fetchOptions: { signal: controller.signal } });
    controller.abort();
    assert.deepEqual(rows, [{ one: 1 }]);
  });

  test('one of many leaves the others alone', async () => {
    const controller = new AbortController();
    const others = Array.from({ length: 5 }, (_, i) => sql.query('select $1::int4 as i, pg_sleep(0.5)::text as s /* js-abort-others */', [i]));
    const all = Promise.all(others);
    const aborted = sql.query('select pg_sleep(600) /* js-abort-one */', [], { fetchOptions: { signal: controller.signal } });
    const ended = assert.rejects(aborted, NeonDbError);
    await until(async () => (await running('js-abort-one')) === 1);
    controller.abort();
    await ended;
    assert.deepEqual((await all).map(([{ i }]) => i), [0, 1, 2, 3, 4]);
  });

  test('a transaction that has written undoes what it wrote', async () => {
    await sql`drop table if exists js_abort_written`;
    await sql`create table js_abort_written (i int)`;
    const controller = new AbortController();
    const transaction = sql.transaction([sql`insert into js_abort_written values (1)`, sql`select pg_sleep(600) /* js-abort-written */`], {
      fetchOptions: { signal: controller.signal },
    });
    const ended = assert.rejects(transaction, NeonDbError);
    await until(async () => (await running('js-abort-written')) === 1);
    controller.abort();
    await ended;
    await until(async () => (await running('js-abort-written')) === 0);
    assert.deepEqual(await sql`select i from js_abort_written`, []);
    await sql`drop table js_abort_written`;
  });
});
