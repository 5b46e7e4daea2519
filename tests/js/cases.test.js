// Every statement of the tables over both roads, as objects and as arrays: rows, fields, command, count and errors are the same.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import errors from './cases/errors.js';
import { create } from './cases/schema.js';
import statements from './cases/statements.js';
import types from './cases/types.js';
import values from './cases/values.js';
import { overHttp, overWebSocket, pool } from './roads.js';

describe('both roads', () => {
  const sessions = pool();
  // Taken once: a pool's own `query` opens another session after each error.
  let session;

  before(async () => {
    session = await sessions.connect();
    for (const statement of create) await session.query(statement);
  });
  after(async () => {
    await session.query('drop schema js_cases cascade');
    session.release();
    await sessions.end();
  });

  for (const [kind, cases] of Object.entries({ values, types, statements, errors })) {
    for (const [name, text, params, code, difference = (result) => result] of cases) {
      test(`${kind}: ${name}`, async () => {
        for (const arrayMode of [false, true]) {
          const http = await overHttp(text, params, arrayMode);
          const webSocket = await overWebSocket(session, text, params, arrayMode);
          assert.equal(http.error?.code, code, http.error?.message);
          assert.deepEqual(http, difference(webSocket));
        }
      });
    }
  }
});
