import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { eq, like, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/neon-serverless';
import { migrate } from 'drizzle-orm/neon-serverless/migrator';

import { pool } from '../roads.js';
import { asks, migrates, tables } from './drizzle.js';

describe('drizzle over WebSocket', () => {
  const { statements, ...schema } = tables('js_drizzle_ws');
  const { ships } = schema;
  const client = pool({ max: 3 });
  const db = drizzle({ client, schema });

  before(async () => {
    for (const statement of statements) await client.query(statement);
  });
  after(async () => {
    await client.query('drop schema js_drizzle_ws cascade');
    await client.end();
  });

  for (const [name, ask] of asks) test(name, () => ask(db, schema));

  test('migrates', () => migrates(db, migrate, 'js_drizzle_ws_migrations'));

  test('commits a transaction', async () => {
    const seen = await db.transaction(async (tx) => {
      await tx.insert(ships).values({ name: 'committed' });
      return tx.$count(ships, eq(ships.name, 'committed'));
    });
    assert.deepEqual([seen, await db.$count(ships, eq(ships.name, 'committed'))], [1, 1]);
  });

  test('rolls a transaction back', async () => {
    const failing = db.transaction(async (tx) => {
      await tx.insert(ships).values({ name: 'rolled back' });
      throw new Error('changed my mind');
    });
    await assert.rejects(failing, /changed my mind/);
    assert.equal(await db.$count(ships, eq(ships.name, 'rolled back')), 0);
  });

  test('rolls a transaction back by its own word', async () => {
    await assert.rejects(db.transaction(async (tx) => tx.rollback()), /Rollback/);
  });

  test('nests transactions', async () => {
    await db.transaction(async (tx) => {
      await tx.insert(ships).values({ name: 'nested outer' });
      const inner = tx.transaction(async (tx) => {
        await tx.insert(ships).values({ name: 'nested inner' });
        throw new Error('only this');
      });
      await assert.rejects(inner, /only this/);
      await tx.transaction((tx) => tx.insert(ships).values({ name: 'nested kept' }));
    });
    const names = await db.select({ name: ships.name }).from(ships).where(like(ships.name, 'nested %')).orderBy(ships.name);
    assert.deepEqual(names, [{ name: 'nested kept' }, { name: 'nested outer' }]);
  });

  for (const isolationLevel of ['read uncommitted', 'read committed', 'repeatable read', 'serializable']) {
    test(`a transaction that is ${isolationLevel}, reads only and is deferrable`, async () => {
      const settings = await db.transaction(
        async (tx) => {
          const { rows } = await tx.execute(
            sql`select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as read_only, current_setting('transaction_deferrable') as deferrable`,
          );
          return rows[0];
        },
        { isolationLevel, accessMode: 'read only', deferrable: true },
      );
      assert.deepEqual(settings, { level: isolationLevel, read_only: 'on', deferrable: 'on' });
    });
  }
});
