// As a page or an edge runtime calls: with an Origin, which Node's own fetch never sends by itself.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, test } from 'node:test';

import { neon, neonConfig } from '@neondatabase/serverless';

import { databaseUrl, httpUrl, origin } from '../endpoint.js';

const FOREIGN = 'https://elsewhere.example';

const SENT = ['neon-connection-string', 'neon-raw-text-output', 'neon-array-mode', 'neon-batch-isolation-level', 'neon-batch-read-only', 'neon-batch-deferrable', 'authorization'];

function preflight(from) {
  return fetch(httpUrl, {
    method: 'OPTIONS',
    headers: { Origin: from, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': SENT.join(',') },
  });
}

function query(from) {
  return fetch(httpUrl, {
    method: 'POST',
    headers: { Origin: from, 'Neon-Connection-String': databaseUrl },
    body: JSON.stringify({ query: 'select 1 as one' }),
  });
}

describe('pages', () => {
  test('of the allowed origin may ask with each header of the driver', async () => {
    const response = await preflight(origin);
    assert.ok(response.ok, `${response.status}`);
    assert.equal(response.headers.get('access-control-allow-origin'), origin);
    const allowed = response.headers.get('access-control-allow-headers').toLowerCase().split(/\s*,\s*/);
    assert.deepEqual(SENT.filter((name) => !allowed.includes(name)), []);
  });

  test('of the allowed origin may read the answer', async () => {
    const response = await query(origin);
    assert.deepEqual([response.status, response.headers.get('access-control-allow-origin')], [200, origin]);
    assert.match(response.headers.get('vary'), /origin/i);
    assert.deepEqual((await response.json()).rows, [{ one: 1 }]);
  });

  test('of the allowed origin may read an error', async () => {
    const response = await fetch(httpUrl, {
      method: 'POST',
      headers: { Origin: origin, 'Neon-Connection-String': databaseUrl },
      body: JSON.stringify({ query: 'select 1/0' }),
    });
    assert.deepEqual([response.status, response.headers.get('access-control-allow-origin')], [400, origin]);
  });

  test('of the allowed origin use the driver', async () => {
    const sql = neon(databaseUrl);
    const headers = { Origin: origin };
    neonConfig.fetchFunction = (address, options) => fetch(address, { ...options, headers: { ...options.headers, ...headers } });
    try {
      assert.deepEqual(await sql`select ${1}::int4 as i`, [{ i: 1 }]);
      assert.deepEqual(await sql.transaction([sql`select 2 as i`], { isolationLevel: 'Serializable', readOnly: true, deferrable: true }), [[{ i: 2 }]]);
    } finally {
      neonConfig.fetchFunction = undefined;
    }
  });

  for (const foreign of [FOREIGN, 'null', `${origin}.elsewhere.example`]) {
    test(`of ${foreign} are refused and run nothing`, async () => {
      const response = await query(foreign);
      assert.deepEqual([response.status, response.headers.get('access-control-allow-origin')], [403, null]);
      assert.equal((await preflight(foreign)).headers.get('access-control-allow-origin'), null);
    });
  }

  test('nobody may call it by a foreign name', async () => {
    // Node's fetch sets Host by itself.
    const status = await new Promise((resolve, reject) => {
      const call = request(httpUrl, { method: 'POST', headers: { Host: 'elsewhere.example', 'Neon-Connection-String': databaseUrl } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      call.on('error', reject);
      call.end('{"query":"select 1"}');
    });
    assert.equal(status, 403);
  });
});
