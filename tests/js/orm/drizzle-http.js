import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { neon } from '@neondatabase/serverless';
import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/neon-http';
import { migrate } from 'drizzle-orm/neon-http/migrator';

import { databaseUrl } from '../endpoint.js';
import { asks, FERRY, migrates, tables } from './drizzle.js';

describe('drizzle over HTTP', () => {
  const { statements, ...schema } = tables('js_drizzle_http');
  const client = neon(databaseUrl);
  const db = drizzle({ client, schema });

  before(async () => {
    for (const statement of statements) await client.query(statement);
  });
  after(() => client.query('drop schema js_drizzle_http cascade'));

  for (const [name, ask] of asks) test(name, () => ask(db, schema));

  test('migrates', () => migrates(db, migrate, 'js_drizzle_http_migrations'));

  test('batches, which are transactions', async () => {
    const { ships } = schema;
    const [inserted, found, full] = await db.batch([
      db.insert(ships).values({ ...FERRY, name: 'batch' }).returning({ id: ships.id }),
      db.query.ships.findFirst({ where: eq(ships.name, 'batch'), with: { crew: true } }),
      db.execute(sql`select 1 as one`),
    ]);
    assert.deepEqual([found.id, found.at, found.crew, full.rows], [inserted[0].id, FERRY.at, [], [{ one: 1 }]]);
    const failing = db.batch([db.insert(ships).values({ name: 'batch undone' }), db.execute(sql`select 1/0`)]);
    await assert.rejects(failing);
    assert.equal(await db.$count(ships, eq(ships.name, 'batch undone')), 0);
  });

  test('has no transactions that ask and answer', async () => {
    await assert.rejects(db.transaction(async () => {}), /No transactions support/);
  });
});
