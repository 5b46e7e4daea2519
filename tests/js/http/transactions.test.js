import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { neon } from '@neondatabase/serverless';

import { databaseUrl } from '../endpoint.js';
import { pool } from '../roads.js';
import { until } from '../until.js';

const LEVELS = {
  ReadUncommitted: 'read uncommitted',
  ReadCommitted: 'read committed',
  RepeatableRead: 'repeatable read',
  Serializable: 'serializable',
};

const SETTINGS = `select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as read_only,
                         current_setting('transaction_deferrable') as deferrable`;

describe('transactions over HTTP', () => {
  const sql = neon(databaseUrl);
  const sessions = pool();

  before(async () => {
    await sql`drop table if exists js_transactions`;
    await sql`create table js_transactions (id int primary key, parent int references js_transactions deferrable initially deferred)`;
  });
  after(async () => {
    await sql`drop table js_transactions`;
    await sessions.end();
  });

  for (const [isolationLevel, level] of [...Object.entries(LEVELS), [undefined, undefined]]) {
    for (const readOnly of [false, true]) {
      for (const deferrable of [false, true]) {
        const words = [level && `isolation level ${level}`, readOnly && 'read only', deferrable && 'deferrable'];
        const begin = ['begin', words.filter(Boolean).join(', ')].join(' ');
        test(`the options of \`${begin}\``, async () => {
          const [rows] = await sql.transaction([sql.query(SETTINGS)], { isolationLevel, readOnly, deferrable });
          const session = await sessions.connect();
          try {
            await session.query(begin);
            assert.deepEqual(rows, (await session.query(SETTINGS)).rows);
          } finally {
            await session.query('rollback');
            session.release();
          }
          assert.equal(rows[0].read_only, readOnly ? 'on' : 'off');
          assert.equal(rows[0].deferrable, deferrable ? 'on' : 'off');
        });
      }
    }
  }

  test('options of all transactions, which those of one beat', async () => {
    const reader = neon(databaseUrl, { isolationLevel: 'RepeatableRead', readOnly: true });
    const [[all]] = await reader.transaction([reader.query(SETTINGS)]);
    const [[one]] = await reader.transaction([reader.query(SETTINGS)], { isolationLevel: 'Serializable', readOnly: false });
    assert.deepEqual([all.level, all.read_only], ['repeatable read', 'on']);
    assert.deepEqual([one.level, one.read_only], ['serializable', 'off']);
  });

  test('an isolation level that is none is refused', async () => {
    await assert.rejects(sql.transaction([sql`select 1`], { isolationLevel: 'Chaos' }), /isolation/i);
  });

  test('a function that gives the queries', async () => {
    const results = await sql.transaction((tx) => [tx`select ${1}::int4 as a`, tx.query('select $1::text as b', ['x'])]);
    assert.deepEqual(results, [[{ a: 1 }], [{ b: 'x' }]]);
  });

  test('array mode and full results of a transaction', async () => {
    const results = await sql.transaction([sql`select 1 as a`, sql`select 2 as b where false`], { arrayMode: true, fullResults: true });
    assert.deepEqual(
      results.map(({ rows, fields, command, rowCount }) => [rows, fields.map(({ name }) => name), command, rowCount]),
      [[[[1]], ['a'], 'SELECT', 1], [[], ['b'], 'SELECT', 0]],
    );
  });

  test('array mode and full results of single queries within one', async () => {
    const [arrays, full, plain] = await sql.transaction([
      sql.query('select 1 as a', [], { arrayMode: true }),
      sql.query('select 2 as b', [], { fullResults: true }),
      sql`select 3 as c`,
    ]);
    assert.deepEqual(arrays, [[1]]);
    assert.deepEqual([full.rows, full.rowCount], [[{ b: 2 }], 1]);
    assert.deepEqual(plain, [{ c: 3 }]);
  });

  test('no queries', async () => {
    assert.deepEqual(await sql.transaction([]), []);
  });

  test('one query', async () => {
    assert.deepEqual(await sql.transaction([sql`select 1 as a`]), [[{ a: 1 }]]);
  });

  test('two hundred queries', async () => {
    const results = await sql.transaction(Array.from({ length: 200 }, (_, i) => sql`select ${i}::int4 as i`));
    assert.deepEqual(results, Array.from({ length: 200 }, (_, i) => [{ i }]));
  });

  test('a later query sees what an earlier one wrote', async () => {
    const [, seen] = await sql.transaction([sql`insert into js_transactions values (1)`, sql`select id from js_transactions where id = 1`]);
    assert.deepEqual(seen, [{ id: 1 }]);
  });

  test('all of them have one snapshot and one time', async () => {
    const [[a], [b]] = await sql.transaction(
      [sql`select now()::text as now, pg_current_snapshot()::text as snapshot`, sql`select now()::text as now, pg_current_snapshot()::text as snapshot`],
      { isolationLevel: 'RepeatableRead' },
    );
    assert.deepEqual(a, b);
  });

  test('what fails in the middle undoes all', async () => {
    const failing = sql.transaction([sql`insert into js_transactions values (2)`, sql`select 1/0`, sql`insert into js_transactions values (3)`]);
    await assert.rejects(failing, { name: 'NeonDbError', code: '22012' });
    assert.deepEqual(await sql`select id from js_transactions where id in (2, 3)`, []);
  });

  test('what fails only at the end undoes all', async () => {
    const failing = sql.transaction([sql`insert into js_transactions values (4, 99)`, sql`select 1 as one`]);
    await assert.rejects(failing, { code: '23503', constraint: 'js_transactions_parent_fkey' });
    assert.deepEqual(await sql`select id from js_transactions where id = 4`, []);
  });

  test('DDL is undone too', async () => {
    await assert.rejects(sql.transaction([sql`create table js_undone (i int)`, sql`select 1/0`]), { code: '22012' });
    assert.deepEqual(await sql`select to_regclass('js_undone')::text as name`, [{ name: null }]);
  });

  test('SET LOCAL and temporary tables last to its end', async () => {
    const [, , , [{ zone, i }]] = await sql.transaction([
      sql`set local timezone = 'Asia/Kathmandu'`,
      sql`create temporary table js_temporary (i int) on commit drop`,
      sql`insert into js_temporary values (1)`,
      sql`select current_setting('timezone') as zone, i from js_temporary`,
    ]);
    assert.deepEqual([zone, i], ['Asia/Kathmandu', 1]);
    assert.deepEqual(await sql`select to_regclass('js_temporary')::text as name`, [{ name: null }]);
  });

  test('a write that may only read is refused', async () => {
    await assert.rejects(sql.transaction([sql`delete from js_transactions`], { readOnly: true }), { code: '25006' });
  });

  test('two that contradict each other: one is told to try again', async () => {
    await sql`insert into js_transactions values (100), (101)`;
    // Both have read before either may write.
    await sessions.query('select pg_advisory_lock(77)');
    const insert = () =>
      sql.transaction(
        [sql`select max(id) from js_transactions`, sql`select pg_advisory_xact_lock_shared(77)`, sql`insert into js_transactions select max(id) + 1 from js_transactions`],
        { isolationLevel: 'Serializable' },
      );
    const both = Promise.allSettled([insert(), insert()]);
    await until(async () => (await sessions.query(`select 1 from pg_locks where locktype = 'advisory' and objid = 77 and not granted`)).rows.length === 2);
    await sessions.query('select pg_advisory_unlock(77)');
    const ended = await both;
    const failed = ended.filter(({ status }) => status === 'rejected');
    assert.equal(failed.length, 1);
    assert.ok(['40001', '23505'].includes(failed[0].reason.code), failed[0].reason.message);
  });

  test('savepoints within it', async () => {
    await sql.transaction([
      sql`insert into js_transactions values (10)`,
      sql`savepoint s`,
      sql`insert into js_transactions values (11)`,
      sql`rollback to s`,
      sql`insert into js_transactions values (12)`,
    ]);
    assert.deepEqual(await sql`select id from js_transactions where id between 10 and 12 order by id`, [{ id: 10 }, { id: 12 }]);
  });

  test('templates alone are queries of one', async () => {
    await assert.rejects(sql.transaction(['select 1']), /array of queries/);
    await assert.rejects(sql.transaction([Promise.resolve(1)]), /array of queries/);
  });
});
