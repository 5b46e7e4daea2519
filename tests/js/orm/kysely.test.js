// Kysely by its Neon dialect over HTTP, and by its PostgresDialect on the driver's pool over WebSocket.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { neon } from '@neondatabase/serverless';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { NeonDialect } from 'kysely-neon';

import { databaseUrl } from '../endpoint.js';
import { pool } from '../roads.js';

const roads = {
  HTTP: () => new NeonDialect({ neon: neon(databaseUrl) }),
  WebSocket: () => new PostgresDialect({ pool: pool({ max: 3 }) }),
};

for (const [road, dialect] of Object.entries(roads)) {
  describe(`kysely over ${road}`, () => {
    const schema = `js_kysely_${road.toLowerCase()}`;
    const kysely = new Kysely({ dialect: dialect() });
    const db = kysely.withSchema(schema);

    before(async () => {
      await sql`drop schema if exists ${sql.id(schema)} cascade`.execute(kysely);
      await db.schema.createSchema(schema).execute();
      await db.schema
        .createTable('ships')
        .addColumn('id', 'serial', (column) => column.primaryKey())
        .addColumn('name', 'text', (column) => column.notNull().unique())
        .addColumn('data', 'jsonb')
        .addColumn('tags', sql`text[]`)
        .addColumn('at', 'timestamptz')
        .addColumn('price', 'numeric(10, 2)')
        .execute();
    });
    after(async () => {
      await sql`drop schema ${sql.id(schema)} cascade`.execute(kysely);
      await kysely.destroy();
    });

    test('inserts and reads values', async () => {
      const ship = { name: 'Ferry ⛴', data: { a: [1, null] }, tags: ['a,b', '"'], at: new Date('2024-02-29T12:00:00Z'), price: '12.50' };
      const inserted = await db.insertInto('ships').values(ship).returningAll().executeTakeFirstOrThrow();
      assert.deepEqual({ ...inserted, id: undefined }, { ...ship, id: undefined });
      assert.deepEqual(await db.selectFrom('ships').selectAll().where('id', '=', inserted.id).execute(), [inserted]);
    });

    test('counts what it changed', async () => {
      const { numInsertedOrUpdatedRows } = await db.insertInto('ships').values([{ name: 'a' }, { name: 'b' }, { name: 'c' }]).executeTakeFirst();
      const { numUpdatedRows } = await db.updateTable('ships').set({ price: 1 }).where('name', 'in', ['a', 'b']).executeTakeFirst();
      const { numDeletedRows } = await db.deleteFrom('ships').where('name', '=', 'c').executeTakeFirst();
      assert.deepEqual([numInsertedOrUpdatedRows, numUpdatedRows, numDeletedRows], [3n, 2n, 1n]);
    });

    test('inserts or updates', async () => {
      const upsert = (price) =>
        db
          .insertInto('ships')
          .values({ name: 'upsert', price })
          .onConflict((conflict) => conflict.column('name').doUpdateSet((eb) => ({ price: eb.ref('excluded.price') })))
          .returning('price')
          .execute();
      assert.deepEqual([await upsert(1), await upsert(2)], [[{ price: '1.00' }], [{ price: '2.00' }]]);
    });

    test('takes CTEs, subqueries and raw SQL', async () => {
      const row = await db
        .with('numbers', (db) => db.selectNoFrom([sql`${20}::int4`.as('n')]))
        .selectFrom('numbers')
        .select(({ eb }) => [eb('n', '+', sql.lit(1)).as('next'), sql`n * ${2}::int4`.as('twice')])
        .executeTakeFirstOrThrow();
      assert.deepEqual(row, { next: 21, twice: 40 });
    });

    test('looks at the tables', async () => {
      const ships = (await kysely.introspection.getTables()).find((table) => table.schema === schema && table.name === 'ships');
      assert.deepEqual(ships.columns.map(({ name, dataType }) => [name, dataType]), [
        ['id', 'int4'], ['name', 'text'], ['data', 'jsonb'], ['tags', '_text'], ['at', 'timestamptz'], ['price', 'numeric'],
      ]);
    });

    test('tells why a statement failed', async () => {
      await db.insertInto('ships').values({ name: 'twice' }).execute();
      await assert.rejects(db.insertInto('ships').values({ name: 'twice' }).execute(), { code: '23505', constraint: 'ships_name_key' });
    });

    if (road === 'HTTP') {
      test('has no transactions that ask and answer', async () => {
        await assert.rejects(db.transaction().execute(async () => {}), /transaction/i);
      });
      return;
    }

    test('commits and rolls back', async () => {
      await db.transaction().execute((tx) => tx.insertInto('ships').values({ name: 'committed' }).execute());
      const failing = db.transaction().execute(async (tx) => {
        await tx.insertInto('ships').values({ name: 'rolled back' }).execute();
        throw new Error('changed my mind');
      });
      await assert.rejects(failing, /changed my mind/);
      const names = await db.selectFrom('ships').select('name').where('name', 'in', ['committed', 'rolled back']).execute();
      assert.deepEqual(names, [{ name: 'committed' }]);
    });

    for (const level of ['read uncommitted', 'read committed', 'repeatable read', 'serializable']) {
      test(`a transaction that is ${level}`, async () => {
        const { rows } = await db.transaction().setIsolationLevel(level).execute((tx) => sql`show transaction_isolation`.execute(tx));
        assert.deepEqual(rows, [{ transaction_isolation: level }]);
      });
    }

    test('a transaction of one\'s own hand, with a savepoint', async () => {
      const tx = await db.startTransaction().execute();
      await tx.insertInto('ships').values({ name: 'kept' }).execute();
      const inner = await tx.savepoint('inner').execute();
      await inner.insertInto('ships').values({ name: 'not kept' }).execute();
      await inner.rollbackToSavepoint('inner').execute();
      await tx.commit().execute();
      const names = await db.selectFrom('ships').select('name').where('name', 'in', ['kept', 'not kept']).execute();
      assert.deepEqual(names, [{ name: 'kept' }]);
    });

    test('migrates', async () => {
      const migrator = new Migrator({
        db: kysely,
        migrationTableSchema: schema,
        provider: {
          getMigrations: async () => ({
            '1_ports': { up: (db) => db.schema.withSchema(schema).createTable('ports').addColumn('name', 'text').execute(), down: (db) => db.schema.withSchema(schema).dropTable('ports').execute() },
            '2_depth': { up: (db) => db.schema.withSchema(schema).alterTable('ports').addColumn('depth', 'int4').execute() },
          }),
        },
      });
      const { error, results } = await migrator.migrateToLatest();
      assert.equal(error, undefined);
      assert.deepEqual(results.map(({ migrationName, status }) => [migrationName, status]), [['1_ports', 'Success'], ['2_depth', 'Success']]);
      assert.deepEqual((await migrator.migrateToLatest()).results, []);
      assert.deepEqual(await db.selectFrom('ports').select('depth').execute(), []);
    });
  });
}
