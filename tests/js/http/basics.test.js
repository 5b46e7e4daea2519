import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { neon, NeonDbError } from '@neondatabase/serverless';

import { databaseUrl } from '../endpoint.js';

describe('over HTTP', () => {
  const sql = neon(databaseUrl);

  before(async () => {
    await sql`drop table if exists js_http`;
    await sql`create table js_http (id int primary key, note text, made timestamptz default '2024-02-29 12:00+00')`;
  });
  after(() => sql`drop table js_http`);

  test('a tagged template carries its values as parameters', async () => {
    const note = `it's "quoted" \\ and ⛴`;
    const rows = await sql`insert into js_http (id, note) values (${1}, ${note}) returning id, note, made`;
    assert.deepEqual(rows, [{ id: 1, note, made: new Date('2024-02-29T12:00:00Z') }]);
  });

  test('values of each kind come back as JavaScript has them', async () => {
    const [row] = await sql.query(
      `select $1::int4 as i, $2::int8 as big, $3::float8 as f, $4::bool as b, $5::text as nothing, $6::jsonb as j,
              $7::int4[] as a, $8::bytea as bytes, $9::numeric as n`,
      [42, '9007199254740993', 0.5, true, null, { a: [1, 'ü', null] }, [1, 2, null], Buffer.from([0, 255, 92]), '1.10'],
    );
    assert.deepEqual(row, {
      i: 42,
      big: '9007199254740993',
      f: 0.5,
      b: true,
      nothing: null,
      j: { a: [1, 'ü', null] },
      a: [1, 2, null],
      bytes: Buffer.from([0, 255, 92]),
      n: '1.10',
    });
  });

  test('array mode and full results describe the columns', async () => {
    const result = await sql.query('select 1 as a, 2 as a', [], { arrayMode: true, fullResults: true });
    assert.deepEqual(result.rows, [[1, 2]]);
    assert.deepEqual(result.fields.map(({ name, dataTypeID }) => [name, dataTypeID]), [['a', 23], ['a', 23]]);
    assert.equal(result.command, 'SELECT');
    assert.equal(result.rowCount, 1);
    assert.equal(result.rowAsArray, true);
  });

  test('a transaction is all or nothing', async () => {
    const [inserted, counted] = await sql.transaction(
      [sql`insert into js_http (id) values (10), (11) returning id`, sql`select count(*)::int as n from js_http where id >= 10`],
      { isolationLevel: 'Serializable' },
    );
    assert.deepEqual([inserted, counted], [[{ id: 10 }, { id: 11 }], [{ n: 2 }]]);

    await assert.rejects(
      sql.transaction([sql`insert into js_http (id) values (12)`, sql`insert into js_http (id) values (12)`]),
      { code: '23505' },
    );
    assert.deepEqual(await sql`select 1 from js_http where id = 12`, []);

    await assert.rejects(sql.transaction([sql`delete from js_http`], { readOnly: true }), { code: '25006' });
    const [[{ deferrable }]] = await sql.transaction(
      [sql`select current_setting('transaction_deferrable') as deferrable`],
      { isolationLevel: 'Serializable', readOnly: true, deferrable: true },
    );
    assert.equal(deferrable, 'on');
  });

  test('an error has every field of Postgres', async () => {
    await sql`insert into js_http (id) values (20)`;
    await assert.rejects(sql`insert into js_http (id) values (20)`, (error) => {
      assert.ok(error instanceof NeonDbError);
      const { code, severity, detail, schema, table, constraint } = error;
      assert.deepEqual(
        { code, severity, detail, schema, table, constraint },
        {
          code: '23505',
          severity: 'ERROR',
          detail: 'Key (id)=(20) already exists.',
          schema: 'public',
          table: 'js_http',
          constraint: 'js_http_pkey',
        },
      );
      return true;
    });
    await assert.rejects(sql`selec 1`, { code: '42601', position: '1' });
  });

  test('a wrong password is refused', async () => {
    const url = new URL(databaseUrl);
    url.password = 'guessed';
    await assert.rejects(neon(url.toString())`select 1`, /password authentication failed for user 'app'/);
  });

  test('many queries at the same time each get their own answer', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => sql`select ${i}::int as i`));
    assert.deepEqual(answers, Array.from({ length: 40 }, (_, i) => [{ i }]));
  });
});
