// What the statements of the tables need in the database.

export const create = [
  'drop schema if exists js_cases cascade',
  'create schema js_cases',
  `create type js_cases.mood as enum ('sad', 'glad')`,
  'create domain js_cases.positive as int check (value > 0)',
  'create type js_cases.pair as (a int, b text)',
  `create table js_cases.ship (id int primary key, note text, made timestamptz default '2024-02-29 12:00+00', "Mixed Case" numeric(6, 2))`,
  `insert into js_cases.ship (id, note, "Mixed Case") values (1, 'Calais', 1.5), (2, null, null)`,
  'create table js_cases.log (line text)',
  'create table js_cases.emptied (i int)',
  `create table js_cases.strict (code varchar(3) not null, n int constraint strict_n_check check (n >= 0), ship int references js_cases.ship)`,
  `create table js_cases.berth (during int4range, doubled int generated always as (lower(during) * 2) stored, exclude using gist (during with &&))`,
  `insert into js_cases.berth (during) values ('[1,3)')`,
  `create procedure js_cases.add_one(i int, inout result int) language plpgsql as $$ begin result := i + 1; end $$`,
  `create function js_cases.ports() returns table (name text, depth int) language sql as $$ values ('Calais', 8), ('Dover', 9) $$`,
  `create function js_cases.broken() returns int language plpgsql as $$ declare i int; begin select nope into i from js_cases.ship; return i; end $$`,
  `create function js_cases.inner_one(i int) returns int language plpgsql as $$ begin return 1 / i; end $$`,
  `create function js_cases.outer_one(i int) returns int language plpgsql as $$ begin return js_cases.inner_one(i); end $$`,
  `create function js_cases.slow() returns void language plpgsql as $$ begin raise query_canceled using message = 'canceled on behalf of a test'; end $$`,
  `create function js_cases.writes_while_read_only() returns void language plpgsql as $$ begin set local transaction_read_only = on; insert into js_cases.log values ('x'); end $$`,
];
