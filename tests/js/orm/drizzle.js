// What drizzle is asked of over either road, and the tables for it.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';

import { and, asc, count, eq, gt, inArray, like, relations, sql } from 'drizzle-orm';
import {
  bigint, bigserial, boolean, date, doublePrecision, integer, interval, jsonb, numeric, pgSchema, text, time, timestamp, uuid, varchar,
} from 'drizzle-orm/pg-core';

export const migrationsFolder = fileURLToPath(new URL('migrations', import.meta.url));

/** The tables, in a schema of their own, and the statements that make them. */
export function tables(name) {
  const schema = pgSchema(name);
  const mood = schema.enum('mood', ['sad', 'glad']);
  const ships = schema.table('ships', {
    id: bigserial({ mode: 'number' }).primaryKey(),
    name: varchar({ length: 40 }).notNull().unique(),
    mood: mood(),
    tags: text().array(),
    data: jsonb(),
    big: bigint({ mode: 'bigint' }),
    price: numeric({ precision: 10, scale: 2 }),
    weight: doublePrecision(),
    fast: boolean().default(false),
    code: uuid(),
    day: date(),
    at: timestamp({ withTimezone: true }),
    local: timestamp({ mode: 'string' }),
    clock: time(),
    took: interval(),
  });
  const crew = schema.table('crew', {
    id: bigserial({ mode: 'number' }).primaryKey(),
    ship: bigint({ mode: 'number' }).references(() => ships.id),
    name: text(),
    age: integer(),
  });
  const shipRelations = relations(ships, ({ many }) => ({ crew: many(crew) }));
  const crewRelations = relations(crew, ({ one }) => ({ of: one(ships, { fields: [crew.ship], references: [ships.id] }) }));
  const statements = [
    `drop schema if exists ${name} cascade`,
    `create schema ${name}`,
    `create type ${name}.mood as enum ('sad', 'glad')`,
    `create table ${name}.ships (id bigserial primary key, name varchar(40) not null unique, mood ${name}.mood, tags text[], data jsonb, big bigint,
       price numeric(10, 2), weight float8, fast boolean default false, code uuid, day date, at timestamptz, local timestamp, clock time, took interval)`,
    `create table ${name}.crew (id bigserial primary key, ship bigint references ${name}.ships, name text, age int)`,
  ];
  return { ships, crew, shipRelations, crewRelations, statements };
}

/** A ship with a value of each type. */
export const FERRY = {
  name: 'Ferry ⛴',
  mood: 'glad',
  tags: ['a,b', '"', '\\', ''],
  data: { a: [1, 'ü', null] },
  big: 9007199254740993n,
  price: '12.50',
  weight: 0.1,
  fast: true,
  code: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
  day: '2024-02-29',
  at: new Date('2024-02-29T12:34:56.789Z'),
  local: '2024-02-29 12:34:56.789',
  clock: '12:34:56',
  took: '1 day 02:03:04',
};

/** [name, what to do with a database and its tables]: the same over either road. */
export const asks = [
  ['inserts a value of each type and reads it again', async (db, { ships }) => {
    const [inserted] = await db.insert(ships).values(FERRY).returning();
    assert.deepEqual({ ...inserted, id: undefined }, { ...FERRY, id: undefined });
    assert.deepEqual(await db.select().from(ships).where(eq(ships.id, inserted.id)), [inserted]);
  }],
  ['inserts many', async (db, { ships }) => {
    const rows = await db.insert(ships).values(Array.from({ length: 500 }, (_, i) => ({ name: `many ${i}` }))).returning({ id: ships.id });
    assert.equal(rows.length, 500);
    assert.deepEqual(await db.select({ n: count() }).from(ships).where(like(ships.name, 'many %')), [{ n: 500 }]);
  }],
  ['inserts or updates', async (db, { ships }) => {
    const upsert = (weight) =>
      db.insert(ships).values({ name: 'upsert', weight }).onConflictDoUpdate({ target: ships.name, set: { weight: sql`excluded.weight` } }).returning({ weight: ships.weight });
    assert.deepEqual([await upsert(1), await upsert(2)], [[{ weight: 1 }], [{ weight: 2 }]]);
    assert.deepEqual(await db.insert(ships).values({ name: 'upsert' }).onConflictDoNothing().returning(), []);
  }],
  ['updates and deletes', async (db, { ships }) => {
    await db.insert(ships).values([{ name: 'short 1' }, { name: 'short 2' }]);
    assert.equal((await db.update(ships).set({ mood: 'sad' }).where(like(ships.name, 'short %'))).rowCount, 2);
    assert.deepEqual(await db.delete(ships).where(eq(ships.name, 'short 1')).returning({ mood: ships.mood }), [{ mood: 'sad' }]);
  }],
  ['joins, groups and sorts', async (db, { ships, crew }) => {
    const [{ id }] = await db.insert(ships).values({ name: 'joined' }).returning();
    await db.insert(crew).values([{ ship: id, name: 'Ada', age: 30 }, { ship: id, name: 'Bea', age: 40 }]);
    const rows = await db
      .select({ ship: ships.name, crew: crew.name })
      .from(ships)
      .innerJoin(crew, eq(crew.ship, ships.id))
      .where(and(eq(ships.id, id), gt(crew.age, 20)))
      .orderBy(asc(crew.name));
    assert.deepEqual(rows, [{ ship: 'joined', crew: 'Ada' }, { ship: 'joined', crew: 'Bea' }]);
    const [left] = await db.select().from(ships).leftJoin(crew, eq(crew.ship, sql`-1`)).where(eq(ships.id, id));
    assert.deepEqual([left.ships.name, left.crew], ['joined', null]);
  }],
  ['reads relations', async (db, { ships, crew }) => {
    const [{ id }] = await db.insert(ships).values({ name: 'related', at: FERRY.at }).returning();
    await db.insert(crew).values([{ ship: id, name: 'Cleo', age: 50 }, { ship: id, name: 'Dora', age: 60 }]);
    const found = await db.query.ships.findFirst({
      columns: { name: true, at: true },
      where: eq(ships.id, id),
      with: { crew: { columns: { name: true }, orderBy: asc(crew.name) } },
    });
    assert.deepEqual(found, { name: 'related', at: FERRY.at, crew: [{ name: 'Cleo' }, { name: 'Dora' }] });
    const [cleo] = await db.query.crew.findMany({ where: eq(crew.name, 'Cleo'), with: { of: true } });
    assert.deepEqual([cleo.of.id, cleo.of.name], [id, 'related']);
    assert.equal(await db.query.ships.findFirst({ where: eq(ships.id, -1) }), undefined);
  }],
  ['prepares', async (db, { ships }) => {
    await db.insert(ships).values([{ name: 'prepared 1' }, { name: 'prepared 2' }]);
    const prepared = db.select({ name: ships.name }).from(ships).where(eq(ships.name, sql.placeholder('name'))).prepare('js_by_name');
    for (const name of ['prepared 1', 'prepared 2']) assert.deepEqual(await prepared.execute({ name }), [{ name }]);
  }],
  ['executes SQL of its own', async (db) => {
    const { rows, rowCount } = await db.execute(sql`select ${1}::int4 as a, ${'x'}::text as b`);
    assert.deepEqual([rows, rowCount], [[{ a: 1, b: 'x' }], 1]);
  }],
  ['takes lists, subqueries and CTEs', async (db, { ships }) => {
    await db.insert(ships).values(['cte 1', 'cte 2', 'cte 3'].map((name, i) => ({ name, weight: i })));
    const heavy = db.$with('heavy').as(db.select({ name: ships.name }).from(ships).where(and(like(ships.name, 'cte %'), gt(ships.weight, 0.5))));
    assert.deepEqual(await db.with(heavy).select().from(heavy).orderBy(heavy.name), [{ name: 'cte 2' }, { name: 'cte 3' }]);
    const names = await db.select({ name: ships.name }).from(ships).where(inArray(ships.name, ['cte 1', 'cte 3'])).orderBy(ships.name);
    assert.deepEqual(names, [{ name: 'cte 1' }, { name: 'cte 3' }]);
    assert.equal(await db.$count(ships, like(ships.name, 'cte %')), 3);
  }],
  ['tells why a statement failed', async (db, { ships }) => {
    await db.insert(ships).values({ name: 'twice' });
    await assert.rejects(db.insert(ships).values({ name: 'twice' }), ({ cause }) => cause.code === '23505' && cause.constraint === 'ships_name_key');
  }],
];

/** Migrates twice, where the second time changes nothing. */
export async function migrates(db, migrate, migrationsSchema) {
  const run = () => migrate(db, { migrationsFolder, migrationsSchema });
  await db.execute(sql`drop table if exists drizzle_ports`);
  await db.execute(sql`drop schema if exists ${sql.identifier(migrationsSchema)} cascade`);
  await run();
  await run();
  const ports = await db.execute(sql`select name, depth from drizzle_ports order by name`);
  assert.deepEqual(ports.rows, [{ name: 'Calais', depth: '8.5' }, { name: 'Dover', depth: '8.5' }]);
  const done = await db.execute(sql`select created_at from ${sql.identifier(migrationsSchema)}.__drizzle_migrations order by id`);
  assert.deepEqual(done.rows.map(({ created_at }) => created_at), ['1700000000000', '1700000001000']);
  await db.execute(sql`drop table drizzle_ports`);
}
