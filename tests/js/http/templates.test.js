import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { neon } from '@neondatabase/serverless';

import { databaseUrl } from '../endpoint.js';

describe('templates', () => {
  const sql = neon(databaseUrl);

  test('a template without values', async () => {
    assert.deepEqual(await sql`select 1 as one, '$1' as text`, [{ one: 1, text: '$1' }]);
  });

  test('values are numbered in order', async () => {
    assert.deepEqual(await sql`select ${'a'}::text as a, ${2}::int4 as b, ${'a'}::text as c`, [{ a: 'a', b: 2, c: 'a' }]);
  });

  test('values that would be SQL stay values', async () => {
    const evil = `'; drop schema public cascade; --`;
    assert.deepEqual(await sql`select ${evil}::text as v`, [{ v: evil }]);
  });

  test('a fragment within a fragment within a template', async () => {
    const inner = sql`i > ${2}`;
    const outer = sql`where ${inner} and i < ${5}`;
    assert.deepEqual(await sql`select i from generate_series(${1}::int4, ${9}::int4) as i ${outer} order by i`, [{ i: 3 }, { i: 4 }]);
  });

  test('a fragment in several places', async () => {
    const seven = sql`${7}::int4`;
    assert.deepEqual(await sql`select ${seven} as a, ${seven} + ${seven} as b`, [{ a: 7, b: 14 }]);
  });

  test('an empty fragment', async () => {
    const nothing = sql``;
    assert.deepEqual(await sql`select 1 as one ${nothing}`, [{ one: 1 }]);
  });

  test('trusted text within a template and within a fragment', async () => {
    const column = sql.unsafe('"a ""column"""');
    const fragment = sql`${sql.unsafe('2')}::int4 + ${40}`;
    assert.deepEqual(await sql`select ${fragment} as ${column}`, [{ 'a "column"': 42 }]);
  });

  test('an array as a value', async () => {
    const rows = await sql`select i from generate_series(1, 9) as i where i = any(${[2, 3, 5]}::int4[]) order by i`;
    assert.deepEqual(rows.map(({ i }) => i), [2, 3, 5]);
  });

  test('an object, bytes and a date as values', async () => {
    const date = new Date('2024-02-29T12:34:56.789Z');
    const [row] = await sql`select ${{ a: 1 }}::jsonb as j, ${Buffer.from([0, 255])}::bytea as b, ${date}::timestamptz as d`;
    assert.deepEqual(row, { j: { a: 1 }, b: Buffer.from([0, 255]), d: date });
  });

  test('a template is sent when it is awaited, and again each time', async () => {
    const number = sql`select nextval('js_templates')::int as n`;
    await sql`create sequence js_templates`;
    try {
      assert.deepEqual([await number, await number], [[{ n: 1 }], [{ n: 2 }]]);
    } finally {
      await sql`drop sequence js_templates`;
    }
  });

  test('its promise has catch and finally', async () => {
    let ended = false;
    const error = await sql`select 1/0`.catch((error) => error).finally(() => (ended = true));
    assert.deepEqual([error.code, ended], ['22012', true]);
  });

  test('array mode and full results of all templates', async () => {
    const full = neon(databaseUrl, { arrayMode: true, fullResults: true });
    const result = await full`select ${1}::int4 as a, ${2}::int4 as a`;
    const { rows, command, rowCount, rowAsArray, viaNeonFetch } = result;
    assert.deepEqual(
      { rows, command, rowCount, rowAsArray, viaNeonFetch },
      { rows: [[1, 2]], command: 'SELECT', rowCount: 1, rowAsArray: true, viaNeonFetch: true },
    );
  });

  test('options of a query beat those of all', async () => {
    const full = neon(databaseUrl, { arrayMode: true, fullResults: true });
    assert.deepEqual(await full.query('select 1 as a', [], { arrayMode: false, fullResults: false }), [{ a: 1 }]);
  });

  test('parsers of one query', async () => {
    const types = { getTypeParser: (oid) => (text) => `${oid}:${text}` };
    const text = 'select 1 as i, true as b, null as n, array[1,2] as a, $1::date as d';
    const expected = [{ i: '23:1', b: '16:t', n: null, a: '1007:{1,2}', d: '1082:2024-02-29' }];
    assert.deepEqual(await sql.query(text, ['2024-02-29'], { types }), expected);
    assert.deepEqual(await sql.transaction([sql.query(text, ['2024-02-29'], { types })]), [expected]);
  });
});
