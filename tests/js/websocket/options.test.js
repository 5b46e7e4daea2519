import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Client } from '@neondatabase/serverless';
import ws from 'ws';

import { databaseUrl, origin, wsAuth, wsUrl } from '../endpoint.js';

const TEXT = `select $1::text as t, repeat('x', 100000) as long`;

/** Connects with settings of its own and asks something small and something large. */
async function works(settings, url = databaseUrl) {
  const client = new Client(url);
  Object.assign(client.neonConfig, settings);
  await client.connect();
  try {
    const { rows } = await client.query(TEXT, ['ü']);
    assert.deepEqual(rows, [{ t: 'ü', long: 'x'.repeat(100000) }]);
    return client;
  } finally {
    await client.end();
  }
}

/** A WebSocket that says who it is. */
function from(origin) {
  return class extends ws {
    constructor(address) {
      super(address, { origin });
    }
  };
}

/** What the driver gives is the WebSocket's event, not an error. */
function forbidden({ message }) {
  return /403/.test(message);
}

describe('settings', () => {
  const settings = [
    ['writes that are not joined', { coalesceWrites: false }],
    ['writes that are joined', { coalesceWrites: true }],
    ['no password before it is asked for', { pipelineConnect: false }],
    ['no TLS within the WebSocket', { forceDisablePgSSL: true }],
    ['no server name', { disableSNI: true }],
    ['TLS that would be pipelined, if there were any', { pipelineTLS: true }],
    ['the address of the WebSocket as a string', { wsProxy: `${wsUrl.host}${wsUrl.pathname}` }],
    ['the address without a query', { wsProxy: () => `${wsUrl.host}${wsUrl.pathname}` }],
    ['a constructor of WebSockets', { webSocketConstructor: ws }],
    ['frames that are compressed where the server can', { webSocketConstructor: class extends ws { constructor(address) { super(address, { perMessageDeflate: true }); } } }],
    ['a page of the allowed origin', { webSocketConstructor: from(origin) }],
  ];
  if (wsAuth === 'cleartext') settings.push(['the password before it is asked for', { pipelineConnect: 'password' }]);
  for (const [name, setting] of settings) test(name, () => works(setting));

  test('parameters of the URL, as a provider prints it', () => works({}, `${databaseUrl}?sslmode=require&channel_binding=require`));

  test('a page of another origin is refused', async () => {
    await assert.rejects(works({ webSocketConstructor: from('https://elsewhere.example') }), forbidden);
  });

  test('an address never leads elsewhere', async () => {
    const { port } = new URL(databaseUrl);
    const wsProxy = () => `${wsUrl.host}${wsUrl.pathname}?address=elsewhere.example:${port}`;
    await assert.rejects(works({ wsProxy }), forbidden);
  });

  test('a password from a function', async () => {
    const url = new URL(databaseUrl);
    const client = new Client({
      host: url.hostname,
      port: Number(url.port),
      user: decodeURIComponent(url.username),
      database: url.pathname.slice(1),
      password: async () => decodeURIComponent(url.password),
    });
    await client.connect();
    assert.deepEqual((await client.query('select current_user as user')).rows, [{ user: 'app' }]);
    await client.end();
  });
});
