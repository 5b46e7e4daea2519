import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { neon, neonConfig, NeonDbError } from '@neondatabase/serverless';

import { databaseUrl, httpUrl } from '../endpoint.js';
import { ERROR_FIELDS } from '../roads.js';

/** A URL that differs from the right one. */
function changed(change) {
  const url = new URL(databaseUrl);
  Object.assign(url, change);
  return url.toString();
}

/** The answer itself, without the driver's reading of it. */
async function answer(body, headers = {}) {
  const response = await fetch(httpUrl, {
    method: 'POST',
    headers: { 'Neon-Connection-String': databaseUrl, 'Neon-Raw-Text-Output': 'true', 'Neon-Array-Mode': 'true', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

describe('errors over HTTP', () => {
  const sql = neon(databaseUrl);

  test('an error of the server has all 17 keys and nothing else', async () => {
    const { status, body } = await answer({ query: 'select 1/0', params: [] });
    assert.equal(status, 400);
    assert.deepEqual(Object.keys(body).sort(), ['message', ...ERROR_FIELDS].sort());
    assert.deepEqual([body.message, body.code, body.severity, body.detail, body.constraint], ['division by zero', '22012', 'ERROR', null, null]);
  });

  test('an error that is not of the server has the same keys', async () => {
    const { status, body } = await answer({ query: 'select 1', params: [] }, { 'Neon-Connection-String': changed({ password: 'guessed' }) });
    assert.equal(status, 400);
    assert.deepEqual(Object.keys(body).sort(), ['message', ...ERROR_FIELDS].sort());
    assert.deepEqual([body.code, body.severity], ['', '']);
  });

  test('a body that is no JSON is refused', async () => {
    assert.equal((await answer('{"query":')).status, 400);
  });

  test('a body without a query is refused', async () => {
    assert.equal((await answer({})).status, 400);
  });

  test('the error of a check', async () => {
    const [, , error] = await sql
      .transaction([
        sql`create temporary table js_checked (n int constraint js_n_check check (n > 0)) on commit drop`,
        sql`select 1`,
        sql`insert into js_checked values (-1)`,
      ])
      .catch((error) => [null, null, error]);
    assert.ok(error instanceof NeonDbError);
    assert.deepEqual([error.name, error.code, error.constraint, error.table], ['NeonDbError', '23514', 'js_n_check', 'js_checked']);
    assert.match(error.detail, /^Failing row contains \(-1\)\.$/);
    // Absent ones are undefined, as node-postgres has them.
    assert.deepEqual([error.hint, error.position, error.column], [undefined, undefined, undefined]);
  });

  for (const [name, change, message] of [
    ['a wrong password', { password: 'guessed' }, /password authentication failed for user 'app'/],
    ['an unknown user', { username: 'nobody' }, /password authentication failed for user 'nobody'/],
    ['an unknown database', { pathname: '/nowhere' }, /database "nowhere" does not exist/],
    ['no password', { password: '' }, /required password/],
  ]) {
    test(`${name} is refused`, async () => {
      await assert.rejects(neon(changed(change))`select 1`, { name: 'NeonDbError', message });
    });
  }

  test('an unknown database has its SQLSTATE', async () => {
    await assert.rejects(neon(changed({ pathname: '/nowhere' }))`select 1`, { code: '3D000', severity: 'FATAL' });
  });

  test('a wrong password does not spoil the right one', async () => {
    const wrong = neon(changed({ password: 'guessed' }));
    const ended = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => (i % 2 ? wrong`select 1` : sql`select 1`)));
    assert.deepEqual(ended.map(({ status }) => status), Array.from({ length: 10 }, (_, i) => (i % 2 ? 'rejected' : 'fulfilled')));
  });

  test('an endpoint that nobody serves', async () => {
    const fetchEndpoint = neonConfig.fetchEndpoint;
    neonConfig.fetchEndpoint = 'http://127.0.0.1:1/sql';
    try {
      await assert.rejects(sql`select 1`, (error) => error instanceof NeonDbError && error.sourceError instanceof TypeError);
    } finally {
      neonConfig.fetchEndpoint = fetchEndpoint;
    }
  });

  test('several statements in one text are refused', async () => {
    await assert.rejects(sql.query('select 1; select 2'), { code: '42601' });
  });

  test('a NUL in a text or a parameter is refused', async () => {
    await assert.rejects(sql.query('select \u0000 1'), NeonDbError);
    await assert.rejects(sql.query('select $1::text', ['a\u0000b']), NeonDbError);
    assert.deepEqual(await sql`select 1 as one`, [{ one: 1 }]);
  });

  test('a lone half of a surrogate pair is refused', async () => {
    await assert.rejects(sql.query('select $1::text', ['\ud800']), NeonDbError);
  });

  test('more parameters than the protocol can count are refused', async () => {
    const params = Array.from({ length: 65536 }, () => '1');
    await assert.rejects(sql.query('select $1::int4', params), NeonDbError);
  });

  test('COPY is refused', async () => {
    await assert.rejects(sql.query('copy (select 1) to stdout'), /COPY/);
    assert.deepEqual(await sql`select 1 as one`, [{ one: 1 }]);
  });

  test('a session that its server ends', async () => {
    await assert.rejects(sql`select pg_terminate_backend(pg_backend_pid())`, { code: '57P01', severity: 'FATAL' });
    assert.deepEqual(await sql`select 1 as one`, [{ one: 1 }]);
  });
});
