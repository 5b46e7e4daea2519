-- The users' types that values are made of: every kind, nested, with names and labels that need care.
create schema oracle;
create schema "Odd ""Schema""";
set search_path = oracle, public;

create type mood as enum ('sad', 'ok', 'happy');
create type "Odd ""Enum""" as enum ('', ' ', 'a b', 'comma,', 'quote"', 'single''', 'back\slash', '{brace}', '(paren)', '[bracket]', 'NULL', 'null', 'é😀', 'tab	', 'new
line', 'Upper', 'a=>b', '1', ';', ':');
create type "Odd ""Schema""".mood as enum ('other');

create domain positive as int4 check (value > 0);
create domain short as varchar(8);
create domain code as char(4);
create domain price as numeric(12, 2);
create domain moody as mood;
create domain flags as bit(6);
create domain ints as int4[];
create domain grid as text[][];
create domain positives as positive[];
create domain positive_again as positive;
create domain "Odd Domain!" as text collate "C";
create domain at_day as date not null;
create domain document as jsonb check (jsonb_typeof(value) is not null);

create type pair as (a int4, b text);
create type triple as (a int8, "B c" numeric, d timestamptz);
create type one as ("only" text);
create type one_int as ("only" int4);
create type nothing as ();
create type wrapping as (p pair, q pair[], m mood, d positive, e "Odd ""Enum""");
create type deeper as (w wrapping, ws wrapping[], ps positives, g grid, o one, os one[], n numeric, f float8, t text);
create type deepest as (d deeper, ds deeper[]);
create type many as (c1 bool, c2 bytea, c3 "char", c4 name, c5 int8, c6 int2, c7 int4, c8 text, c9 oid, c10 json, c11 xml, c12 point, c13 float4, c14 money,
                     c15 inet, c16 bpchar, c17 varchar, c18 date, c19 time, c20 timestamp, c21 timestamptz, c22 interval, c23 timetz, c24 bit, c25 varbit,
                     c26 numeric, c27 uuid, c28 jsonb, c29 int4range, c30 int4multirange, c31 text[], c32 jsonpath, c33 tsvector, c34 tsquery, c35 box[],
                     c36 pg_lsn, c37 macaddr, c38 cidr, c39 path, c40 polygon);
create domain paired as pair check ((value).a is distinct from 13);
create domain pairs as pair[];
create domain paired_again as paired;
create type holding as (p paired, ps paired[], r positive_again, l pairs, again paired_again);
create type changed as (a int4, gone text, b text);
alter type changed drop attribute gone;
alter type changed add attribute c numeric;

create type text_range as range (subtype = text);
create type c_range as range (subtype = text, collation = "C");
create type float_range as range (subtype = float8, subtype_diff = float8mi);
create type time_range as range (subtype = time);
create type mood_range as range (subtype = mood, multirange_type_name = moods);
create type "Odd Range" as range (subtype = "Odd ""Enum""", multirange_type_name = "Odd Ranges");
create type inet_range as range (subtype = inet);
create type pair_range as range (subtype = pair);
create type ints_range as range (subtype = int4[]);
create type uuid_range as range (subtype = uuid);
create type bytea_range as range (subtype = bytea);
create type short_range as range (subtype = short);
create type jsonb_range as range (subtype = jsonb);
create type range_range as range (subtype = int4range);
create type interval_range as range (subtype = interval);
create domain booking as tstzrange check (not isempty(value));
create domain bookings as tstzmultirange;
create type ranged as (r text_range, rs text_range[], m moods, b booking, n numrange, nested range_range, o "Odd Range");

create type "Odd ""Schema"""."Type, with (all)" as ("a ""b""" int4, "c,d" text, "E" mood, self "Odd ""Schema""".mood);
create table "Odd ""Schema""".rows (id int4 primary key, gone int8, "Name" text, m mood default 'ok', p pair, made timestamptz default 'epoch');
alter table "Odd ""Schema""".rows drop column gone;
insert into "Odd ""Schema""".rows (id, "Name", p) values (1, 'one', (1, 'x')), (2, null, null), (3, E'a "b"\\,(c)', (null, ''));
create view "Odd ""Schema""".seen as select id, "Name" as name, array[p] as ps from "Odd ""Schema""".rows;
reset search_path;
