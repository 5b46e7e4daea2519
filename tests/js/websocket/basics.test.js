import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { Client, Pool } from '@neondatabase/serverless';

import { databaseUrl } from '../endpoint.js';

async function connected() {
  const client = new Client(databaseUrl);
  await client.connect();
  return client;
}

describe('over WebSocket', () => {
  const pool = new Pool({ connectionString: databaseUrl });
  after(() => pool.end());

  test('a pool answers with rows', async () => {
    const { rows, command, rowCount } = await pool.query('select $1::int4 + 1 as n, $2::text as t', [41, 'ü']);
    assert.deepEqual({ rows, command, rowCount }, { rows: [{ n: 42, t: 'ü' }], command: 'SELECT', rowCount: 1 });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query('select $1::int4 as i', [i])));
    assert.deepEqual(answers.map(({ rows: [{ i }] }) => i), Array.from({ length: 40 }, (_, i) => i));
  });

  test('a client has a session', async () => {
    const client = await connected();
    try {
      await client.query("set application_name = 'js'");
      await client.query('create temporary table kept (i int)');
      await client.query('insert into kept values (1)');
      const { rows } = await client.query("select i, current_setting('application_name') as name from kept");
      assert.deepEqual(rows, [{ i: 1, name: 'js' }]);
    } finally {
      await client.end();
    }
  });

  test('a transaction can be committed and rolled back', async () => {
    const client = await pool.connect();
    try {
      await client.query('drop table if exists js_ws');
      await client.query('create table js_ws (i int)');
      for (const [i, end] of [[1, 'commit'], [2, 'rollback']]) {
        await client.query('begin');
        await client.query('insert into js_ws values ($1)', [i]);
        await client.query(end);
      }
      assert.deepEqual((await client.query('select i from js_ws')).rows, [{ i: 1 }]);
      await client.query('drop table js_ws');
    } finally {
      client.release();
    }
  });

  test('an error leaves the session usable', async () => {
    const client = await connected();
    try {
      await assert.rejects(client.query('select 1/0'), { code: '22012' });
      assert.deepEqual((await client.query('select 1 as one')).rows, [{ one: 1 }]);
    } finally {
      await client.end();
    }
  });

  test('notifications and notices arrive', async () => {
    const [listener, speaker] = await Promise.all([connected(), connected()]);
    try {
      const heard = new Promise((resolve) => listener.once('notification', resolve));
      const noticed = new Promise((resolve) => speaker.once('notice', resolve));
      await listener.query('listen js');
      await speaker.query("notify js, 'ahoy'");
      assert.equal((await heard).payload, 'ahoy');
      await speaker.query("do $$ begin raise notice 'land'; end $$");
      assert.equal((await noticed).message, 'land');
    } finally {
      await Promise.all([listener.end(), speaker.end()]);
    }
  });

  test('rows larger than any frame arrive whole', async () => {
    const { rows } = await pool.query("select repeat('ferry ', 500000) as long, i from generate_series(1, 3) i");
    assert.deepEqual(rows.map(({ long, i }) => [long.length, i]), [[3_000_000, 1], [3_000_000, 2], [3_000_000, 3]]);
  });

  test('a wrong password is refused', async () => {
    const url = new URL(databaseUrl);
    url.password = 'guessed';
    const client = new Client(url.toString());
    // A driver that sends its password unasked takes itself for connected, and learns of the refusal as an event.
    // The end of the connection is told as another one.
    const refused = new Promise((resolve) => client.on('error', resolve));
    const refusal = await Promise.race([refused, client.connect().then(() => refused, (error) => error)]);
    assert.match(refusal.message, /password authentication failed for user "app"/);
  });
});
