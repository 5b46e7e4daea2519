import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';

import { neon, neonConfig } from '@neondatabase/serverless';

import { databaseUrl, httpUrl } from '../endpoint.js';

describe('options over HTTP', () => {
  const sql = neon(databaseUrl);
  const url = new URL(databaseUrl);
  const { fetchEndpoint } = neonConfig;
  const parameters = {
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    host: url.hostname,
    port: url.port,
    database: url.pathname.slice(1),
  };

  afterEach(() => {
    neonConfig.fetchEndpoint = fetchEndpoint;
    neonConfig.fetchFunction = undefined;
  });

  const who = 'select current_user as user, current_database() as database';
  const app = [{ user: 'app', database: parameters.database }];

  test('all that a connection needs, one by one', async () => {
    assert.deepEqual(await neon(parameters).query(who), app);
  });

  test('a password from a function', async () => {
    const bare = new URL(databaseUrl);
    bare.password = '';
    assert.deepEqual(await neon(bare.toString(), { password: async () => parameters.password }).query(who), app);
  });

  test('a connection string from a function', async () => {
    assert.deepEqual(await neon({ connectionString: async () => databaseUrl }).query(who), app);
  });

  test('a user of one query', async () => {
    await assert.rejects(sql.query(who, [], { user: 'nobody' }), /'nobody'/);
  });

  test('a database of one transaction', async () => {
    assert.deepEqual(await sql.transaction([sql`select current_database() as name`], { database: 'postgres' }), [[{ name: 'postgres' }]]);
  });

  test('parameters of the URL, as a provider prints it', async () => {
    const printed = `${databaseUrl}?sslmode=require&channel_binding=require`;
    assert.deepEqual(await neon(printed).query(who), app);
  });

  test('an endpoint that is a string', async () => {
    neonConfig.fetchEndpoint = httpUrl;
    assert.deepEqual(await sql.query(who), app);
  });

  test('a function that fetches', async () => {
    const seen = [];
    neonConfig.fetchFunction = (address, options) => {
      seen.push([address, options.method, JSON.parse(options.body)]);
      return fetch(address, options);
    };
    assert.deepEqual(await sql`select ${1}::int4 as i`, [{ i: 1 }]);
    assert.deepEqual(seen, [[httpUrl, 'POST', { query: 'select $1::int4 as i', params: ['1'] }]]);
  });

  for (const [name, fetchOptions] of [
    ['of a priority and a cache mode', { priority: 'high', cache: 'no-store' }],
    ['of a connection that is kept', { keepalive: true }],
    ['of a redirect mode', { redirect: 'error' }],
  ]) {
    test(`options of fetch: ${name}`, async () => {
      assert.deepEqual(await sql.query(who, [], { fetchOptions }), app);
      assert.deepEqual(await neon(databaseUrl, { fetchOptions }).query(who), app);
    });
  }

  for (const [name, authToken] of [['a token', 'ey.ey.ey'], ['a token from a function', async () => 'ey.ey.ey']]) {
    test(`${name} is refused, as by an endpoint that knows no tokens`, async () => {
      await assert.rejects(neon(databaseUrl, { authToken })`select 1`, { name: 'NeonDbError', message: /missing authentication credentials/ });
    });
  }

  test('headers of an older driver, which are of no use here', async () => {
    const headers = { 'Neon-Connection-String': databaseUrl, 'Neon-Pool-Opt-In': 'true', 'Neon-Unknown': 'x' };
    const response = await fetch(httpUrl, { method: 'POST', headers, body: JSON.stringify({ query: 'select $1::int8 as v', params: [1], unknown: 1 }) });
    const { rows, rowAsArray } = await response.json();
    assert.deepEqual([response.status, rows, rowAsArray], [200, [{ v: '1' }], false]);
  });

  test('nothing of a session survives a request', async () => {
    await sql`set timezone = 'Asia/Kathmandu'`;
    await sql`create temporary table js_survivor (i int)`;
    const seen = await Promise.all(
      Array.from({ length: 20 }, () => sql`select current_setting('timezone') as zone, to_regclass('js_survivor')::text as name`),
    );
    assert.deepEqual(seen, Array.from({ length: 20 }, () => [{ zone: 'UTC', name: null }]));
  });
});
