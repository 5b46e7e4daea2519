import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';

import { neonConfig, Pool } from '@neondatabase/serverless';

import { databaseUrl } from '../endpoint.js';
import { until } from '../until.js';
import { withClients } from './clients.js';

async function withPool(use, options) {
  const pool = new Pool({ connectionString: databaseUrl, ...options });
  try {
    return await use(pool);
  } finally {
    await pool.end();
  }
}

describe('pools', () => {
  afterEach(() => {
    neonConfig.poolQueryViaFetch = false;
  });

  test('open no more sessions than they may', () =>
    withPool(async (pool) => {
      const results = await Promise.all(Array.from({ length: 30 }, () => pool.query('select pg_backend_pid() as pid, pg_sleep(0.01)')));
      assert.ok(new Set(results.map(({ rows }) => rows[0].pid)).size <= 3);
      assert.deepEqual([pool.totalCount <= 3, pool.waitingCount], [true, 0]);
    }, { max: 3 }));

  test('use a session again', () =>
    withPool(async (pool) => {
      const pid = async () => (await pool.query('select pg_backend_pid() as pid')).rows[0].pid;
      assert.equal(await pid(), await pid());
    }, { max: 1 }));

  test('that are exhausted say so in time', () =>
    withPool(async (pool) => {
      const client = await pool.connect();
      // From here on: the first log-in may take as long as it likes.
      pool.options.connectionTimeoutMillis = 200;
      await assert.rejects(pool.connect(), /timeout exceeded/);
      client.release();
      assert.deepEqual((await pool.query('select 1 as one')).rows, [{ one: 1 }]);
    }, { max: 1 }));

  test('that are exhausted serve who waits', () =>
    withPool(async (pool) => {
      const client = await pool.connect();
      const waiting = pool.query('select 1 as one');
      assert.equal(pool.waitingCount, 1);
      client.release();
      assert.deepEqual((await waiting).rows, [{ one: 1 }]);
    }, { max: 1 }));

  test('throw a client away that is released with an error', () =>
    withPool(async (pool) => {
      const client = await pool.connect();
      const { pid } = (await client.query('select pg_backend_pid() as pid')).rows[0];
      client.release(new Error('broken'));
      assert.notEqual((await pool.query('select pg_backend_pid() as pid')).rows[0].pid, pid);
    }, { max: 1 }));

  test('end sessions that are idle', () =>
    withPool(async (pool) => {
      await pool.query('select 1');
      assert.equal(pool.totalCount, 1);
      await until(() => pool.totalCount === 0);
    }, { idleTimeoutMillis: 50 }));

  test('end sessions that were used often enough', () =>
    withPool(async (pool) => {
      const pid = async () => (await pool.query('select pg_backend_pid() as pid')).rows[0].pid;
      const [a, b, c] = [await pid(), await pid(), await pid()];
      assert.equal(a, b);
      assert.notEqual(b, c);
    }, { max: 1, maxUses: 2 }));

  test('tell of idle clients whose session the server ends, and go on', () =>
    withPool(async (pool) => {
      const { pid } = (await pool.query('select pg_backend_pid() as pid')).rows[0];
      const told = new Promise((resolve) => pool.once('error', resolve));
      await withClients((other) => other.query('select pg_terminate_backend($1)', [pid]));
      const error = await told;
      assert.equal(error.code, '57P01');
      // What ends the connection behind it is told as well.
      pool.on('error', () => {});
      assert.deepEqual((await pool.query('select 1 as one')).rows, [{ one: 1 }]);
    }, { max: 1 }));

  test('tell a query whose session the server ends, and go on', () =>
    withPool(async (pool) => {
      pool.on('error', () => {});
      await assert.rejects(pool.query('select pg_terminate_backend(pg_backend_pid())'), { code: '57P01' });
      assert.deepEqual((await pool.query('select 1 as one')).rows, [{ one: 1 }]);
    }, { max: 1 }));

  test('tell of a wrong password', async () => {
    const url = new URL(databaseUrl);
    url.password = 'guessed';
    const pipelined = neonConfig.pipelineConnect;
    neonConfig.pipelineConnect = false;
    try {
      await withPool((pool) => assert.rejects(pool.query('select 1'), { code: '28P01' }), { connectionString: url.toString() });
    } finally {
      neonConfig.pipelineConnect = pipelined;
    }
  });

  test('tell of an unknown database', async () => {
    const url = new URL(databaseUrl);
    url.pathname = '/nowhere';
    const pipelined = neonConfig.pipelineConnect;
    neonConfig.pipelineConnect = false;
    try {
      await withPool((pool) => assert.rejects(pool.query('select 1'), { code: '3D000' }), { connectionString: url.toString() });
    } finally {
      neonConfig.pipelineConnect = pipelined;
    }
  });

  test('take callbacks', () =>
    withPool(async (pool) => {
      const rows = await new Promise((resolve, reject) =>
        pool.query('select $1::int4 as i', [1], (error, result) => (error ? reject(error) : resolve(result.rows))),
      );
      assert.deepEqual(rows, [{ i: 1 }]);
      const client = await new Promise((resolve, reject) => pool.connect((error, client) => (error ? reject(error) : resolve(client))));
      client.release();
    }));

  test('tell when clients come, are taken, are given back and go', () =>
    withPool(async (pool) => {
      const seen = [];
      for (const event of ['connect', 'acquire', 'release', 'remove']) pool.on(event, () => seen.push(event));
      const client = await pool.connect();
      client.release(true);
      await until(() => seen.includes('remove'));
      assert.deepEqual([...seen].sort(), ['acquire', 'connect', 'release', 'remove']);
    }));

  test('send single queries over HTTP where that is asked for', () =>
    withPool(async (pool) => {
      neonConfig.poolQueryViaFetch = true;
      const result = await pool.query('select $1::int4 as i, $2::jsonb as j', [1, { a: [1] }]);
      assert.deepEqual([result.rows, result.rowCount, result.command, result.viaNeonFetch], [[{ i: 1, j: { a: [1] } }], 1, 'SELECT', true]);
      assert.equal(pool.totalCount, 0);
      assert.deepEqual((await pool.query({ text: 'select 1 as a, 2 as a', rowMode: 'array' })).rows, [[1, 2]]);
      await assert.rejects(pool.query('select 1/0'), { code: '22012' });
    }));

  test('take no queries after their end', async () => {
    const pool = new Pool({ connectionString: databaseUrl });
    await pool.query('select 1');
    await pool.end();
    await assert.rejects(pool.query('select 1'), /after calling end/);
  });

  test('twenty sessions, one after the other', () =>
    withPool(async (pool) => {
      for (let i = 0; i < 20; i++) assert.deepEqual((await pool.query('select $1::int4 as i', [i])).rows, [{ i }]);
    }, { max: 1, maxUses: 1 }));

  test('twenty sessions at once, each with a transaction', () =>
    withPool(async (pool) => {
      const sums = await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          const client = await pool.connect();
          try {
            await client.query('begin');
            await client.query('create temporary table t (i int) on commit drop');
            await client.query('insert into t select generate_series(1, $1)', [i]);
            const { rows } = await client.query('select coalesce(sum(i), 0)::int as sum from t');
            await client.query('commit');
            return rows[0].sum;
          } finally {
            client.release();
          }
        }),
      );
      assert.deepEqual(sums, Array.from({ length: 20 }, (_, i) => (i * (i + 1)) / 2));
    }, { max: 20 }));
});
