import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Client, types } from '@neondatabase/serverless';

import { databaseUrl } from '../endpoint.js';
import { withClients } from './clients.js';

const LEVELS = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'];

describe('sessions', () => {
  for (const level of LEVELS) {
    test(`a transaction that is ${level}`, () =>
      withClients(async (client) => {
        await client.query(`begin isolation level ${level}`);
        assert.deepEqual((await client.query('show transaction_isolation')).rows, [{ transaction_isolation: level }]);
        await client.query('commit');
      }));
  }

  test('savepoints, one within the other', () =>
    withClients(async (client) => {
      await client.query('create temporary table t (i int)');
      await client.query('begin');
      for (const [i, name] of [[1, 'a'], [2, 'b'], [3, 'c']]) {
        await client.query(`savepoint ${name}`);
        await client.query('insert into t values ($1)', [i]);
      }
      await client.query('rollback to b');
      await client.query('release a');
      await client.query('commit');
      assert.deepEqual((await client.query('select i from t')).rows, [{ i: 1 }]);
    }));

  test('a transaction that failed takes nothing but its end', () =>
    withClients(async (client) => {
      await client.query('begin');
      await assert.rejects(client.query('select 1/0'), { code: '22012' });
      await assert.rejects(client.query('select 1'), { code: '25P02' });
      assert.equal((await client.query('commit')).command, 'ROLLBACK');
      assert.deepEqual((await client.query('select 1 as one')).rows, [{ one: 1 }]);
    }));

  test('a serialization failure and its repetition', () =>
    withClients(async (one, two) => {
      await one.query('drop table if exists js_serial');
      await one.query('create table js_serial (i int)');
      await one.query('insert into js_serial values (1)');
      for (const client of [one, two]) {
        await client.query('begin isolation level repeatable read');
        await client.query('select i from js_serial');
      }
      await one.query('update js_serial set i = 2');
      await one.query('commit');
      await assert.rejects(two.query('update js_serial set i = 3'), { code: '40001' });
      await two.query('rollback');
      await two.query('update js_serial set i = i + 1');
      assert.deepEqual((await one.query('select i from js_serial')).rows, [{ i: 3 }]);
      await one.query('drop table js_serial');
    }));

  test('a lock makes another session wait', () =>
    withClients(async (one, two) => {
      await one.query('select pg_advisory_lock(815)');
      assert.deepEqual((await two.query('select pg_try_advisory_lock(815) as got')).rows, [{ got: false }]);
      const waiting = two.query('select pg_advisory_lock(815)');
      await one.query('select pg_advisory_unlock(815)');
      await waiting;
    }));

  test('a deadlock ends for one of them', () =>
    withClients(async (one, two) => {
      const lock = (client, number) => client.query('select pg_advisory_xact_lock($1)', [number]);
      for (const [client, first] of [[one, 9001], [two, 9002]]) {
        await client.query('begin');
        await lock(client, first);
      }
      const ended = await Promise.allSettled([lock(one, 9002), lock(two, 9001)]);
      const failed = ended.filter(({ status }) => status === 'rejected');
      assert.deepEqual(failed.map(({ reason }) => reason.code), ['40P01']);
      await Promise.all([one.query('rollback'), two.query('rollback')]);
    }));

  test('a cursor', () =>
    withClients(async (client) => {
      await client.query('begin');
      await client.query('declare c scroll cursor for select i from generate_series(1, 1000) as i');
      const fetched = [];
      for (const move of ['fetch 2', 'fetch last', 'fetch prior', 'fetch absolute 10']) {
        fetched.push(...(await client.query(`${move} from c`)).rows.map(({ i }) => i));
      }
      assert.deepEqual(fetched, [1, 2, 1000, 999, 10]);
      await client.query('close c');
      await client.query('commit');
    }));

  test('rows as they come', () =>
    withClients(async (client) => {
      const query = new Client.Query('select i from generate_series(1, 5000) as i');
      let sum = 0;
      query.on('row', ({ i }) => (sum += i));
      const ended = new Promise((resolve, reject) => query.on('end', resolve).on('error', reject));
      client.query(query);
      await ended;
      assert.equal(sum, 12502500);
    }));

  test('a portal that gives some rows at a time', () =>
    withClients(async (client) => {
      const { rows } = await client.query({ text: 'select i from generate_series(1, 1000) as i', values: [], rows: 10, rowMode: 'array' });
      assert.deepEqual(rows, Array.from({ length: 1000 }, (_, i) => [i + 1]));
    }));

  test('several statements in one text', () =>
    withClients(async (client) => {
      const results = await client.query(`create temporary table t (i int); insert into t values (1), (2); select i from t; select 'a' as a where false`);
      assert.deepEqual(results.map(({ command, rowCount, rows }) => [command, rowCount, rows]), [
        ['CREATE', null, []],
        ['INSERT', 2, []],
        ['SELECT', 2, [{ i: 1 }, { i: 2 }]],
        ['SELECT', 0, []],
      ]);
    }));

  test('several statements of which one fails are undone', () =>
    withClients(async (client) => {
      await client.query('create temporary table t (i int)');
      await assert.rejects(client.query('insert into t values (1); select 1/0; insert into t values (2)'), { code: '22012' });
      assert.deepEqual((await client.query('select i from t')).rows, []);
    }));

  test('queries that are sent before others have ended keep their order', () =>
    withClients(async (client) => {
      const results = await Promise.all(Array.from({ length: 100 }, (_, i) => client.query('select $1::int4 as i', [i])));
      assert.deepEqual(results.map(({ rows: [{ i }] }) => i), Array.from({ length: 100 }, (_, i) => i));
    }));

  test('an error among queries that wait is that of its own alone', () =>
    withClients(async (client) => {
      const ended = await Promise.allSettled([client.query('select 1'), client.query('select 1/0'), client.query('select 2')]);
      assert.deepEqual(ended.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
    }));

  test('a named statement is prepared once', () =>
    withClients(async (client) => {
      for (const n of [1, 2, 3]) {
        const { rows } = await client.query({ name: 'double', text: 'select $1::int4 * 2 as n', values: [n] });
        assert.deepEqual(rows, [{ n: n * 2 }]);
      }
      const { rows } = await client.query(`select name, generic_plans + custom_plans as runs from pg_prepared_statements`);
      assert.deepEqual(rows, [{ name: 'double', runs: '3' }]);
    }));

  test('a named statement with another text is refused', () =>
    withClients(async (client) => {
      await client.query({ name: 'one', text: 'select 1' });
      await assert.rejects(client.query({ name: 'one', text: 'select 2' }), /must be unique/);
    }));

  test('a named statement that fails can be used again', () =>
    withClients(async (client) => {
      const divide = (by) => client.query({ name: 'divide', text: 'select 1 / $1::int4 as n', values: [by] });
      await assert.rejects(divide(0), { code: '22012' });
      assert.deepEqual((await divide(1)).rows, [{ n: 1 }]);
    }));

  test('a named statement whose table changes', () =>
    withClients(async (client) => {
      await client.query('create temporary table t as select 1 as a');
      const all = () => client.query({ name: 'all', text: 'select * from t' });
      await all();
      await client.query('alter table t add b int');
      await assert.rejects(all(), { code: '0A000', message: /cached plan must not change result type/ });
    }));

  test('PREPARE, EXECUTE and DEALLOCATE', () =>
    withClients(async (client) => {
      await client.query('prepare twice (int) as select $1 * 2 as n');
      assert.deepEqual((await client.query('execute twice (21)')).rows, [{ n: 42 }]);
      await client.query('deallocate twice');
      await assert.rejects(client.query('execute twice (21)'), { code: '26000' });
    }));

  test('values in binary', () =>
    withClients(async (client) => {
      const { rows } = await client.query({ text: `select 7::int4 as i, '\\x00ff'::bytea as b, 0.5::float8 as f`, binary: true });
      assert.deepEqual(rows, [{ i: 7, b: Buffer.from([0, 255]), f: 0.5 }]);
    }));

  test('parsers of one query, and of one client', async () => {
    const mine = { getTypeParser: (oid, format) => (oid === 20 ? BigInt : types.getTypeParser(oid, format)) };
    await withClients(async (client) => {
      assert.deepEqual((await client.query({ text: 'select 1::int8 as v', types: mine })).rows, [{ v: 1n }]);
      assert.deepEqual((await client.query('select 1::int8 as v')).rows, [{ v: '1' }]);
    });
    await withClients(async (client) => assert.deepEqual((await client.query('select 1::int8 as v')).rows, [{ v: 1n }]), { types: mine });
  });

  test('identifiers and literals that the client escapes', () =>
    withClients(async (client) => {
      const [name, text] = ['a "b" c', `it's \\ a "b"`];
      const { rows } = await client.query(`select ${client.escapeLiteral(text)} as ${client.escapeIdentifier(name)}`);
      assert.deepEqual(rows, [{ [name]: text }]);
    }));

  test('notices of each level', () =>
    withClients(async (client) => {
      const seen = [];
      client.on('notice', ({ severity, message, hint, code }) => seen.push([severity, message, hint, code]));
      await client.query(`set client_min_messages = debug`);
      await client.query(`do $$ begin
        raise debug 'a'; raise log 'b'; raise info 'c'; raise notice 'd' using hint = 'h'; raise warning 'e' using errcode = '01007';
      end $$`);
      const raised = seen.filter(([, message]) => message.length === 1);
      assert.deepEqual(raised, [
        ['DEBUG', 'a', undefined, '00000'],
        ['LOG', 'b', undefined, '00000'],
        ['INFO', 'c', undefined, '00000'],
        ['NOTICE', 'd', 'h', '00000'],
        ['WARNING', 'e', undefined, '01007'],
      ]);
    }));

  test('notifications keep their order, and stop', () =>
    withClients(async (listener, speaker) => {
      const heard = [];
      listener.on('notification', ({ channel, payload }) => heard.push([channel, payload]));
      await listener.query('listen js_order');
      await speaker.query('begin');
      for (let i = 0; i < 50; i++) await speaker.query('select pg_notify($1, $2)', ['js_order', `${i}`]);
      assert.deepEqual(heard, []);
      await speaker.query('commit');
      await speaker.query(`notify js_order, 'end'`);
      while (heard.length < 51) await listener.query('select 1');
      assert.deepEqual(heard, [...Array.from({ length: 50 }, (_, i) => ['js_order', `${i}`]), ['js_order', 'end']]);
      await listener.query('unlisten *');
      await speaker.query(`notify js_order, 'late'`);
      await listener.query('select 1');
      assert.equal(heard.length, 51);
    }));

  test('a notification comes to a session that is idle', () =>
    withClients(async (listener, speaker) => {
      await listener.query('listen js_idle');
      const heard = new Promise((resolve) => listener.once('notification', resolve));
      await speaker.query(`notify js_idle, '⛴'`);
      const { payload, processId } = await heard;
      assert.equal(payload, '⛴');
      assert.equal(processId, (await speaker.query('select pg_backend_pid() as pid')).rows[0].pid);
    }));

  test('COPY to the client ends, and the session goes on', () =>
    withClients(async (client) => {
      // The driver has no COPY of its own, and ignores the data.
      assert.equal((await client.query('copy (select 1) to stdout')).command, 'COPY');
      assert.deepEqual((await client.query('select 1 as one')).rows, [{ one: 1 }]);
    }));

  test('a statement that runs too long', () =>
    withClients(async (client) => {
      await assert.rejects(client.query('select pg_sleep(600)'), { code: '57014', message: /statement timeout/ });
      assert.deepEqual((await client.query('select 1 as one')).rows, [{ one: 1 }]);
    }, { statement_timeout: 100 }));

  test('what a client asks of its session', () =>
    withClients(async (client) => {
      const { rows } = await client.query(
        `select current_setting('application_name') as name, current_setting('lock_timeout') as lock,
                current_setting('idle_in_transaction_session_timeout') as idle, current_setting('search_path') as path`,
      );
      assert.deepEqual(rows, [{ name: 'js sessions', lock: '1234ms', idle: '5s', path: 'pg_catalog' }]);
    }, { application_name: 'js sessions', lock_timeout: 1234, idle_in_transaction_session_timeout: 5000, options: '-c search_path=pg_catalog' }));

  test('the name of a session without one is the driver', () =>
    withClients(async (client) => {
      const { rows } = await client.query('show application_name');
      assert.match(rows[0].application_name, /neondatabase\/serverless/);
    }));

  test('a session ends on the server when its client ends', async () => {
    const client = new Client(databaseUrl);
    await client.connect();
    const { pid } = (await client.query('select pg_backend_pid() as pid')).rows[0];
    await client.end();
    await withClients(async (other) => {
      const gone = async () => (await other.query('select 1 from pg_stat_activity where pid = $1', [pid])).rows.length === 0;
      for (let i = 0; !(await gone()); i++) assert.ok(i < 1000, 'the session is still there');
    });
  });

  test('a client takes no queries after its end', async () => {
    const client = new Client(databaseUrl);
    await client.connect();
    await client.end();
    await assert.rejects(client.query('select 1'), /closed|not queryable/);
  });
});
