//! A connection that blocks, in the place of `PgConnection`: inserts, an upsert, a join, an enum of the database's, a transaction.

use std::io::Write;

use diesel::{
    connection::SimpleConnection,
    deserialize::{self, FromSql, FromSqlRow},
    dsl::{count, sum},
    expression::AsExpression,
    pg::{Pg, PgValue},
    prelude::*,
    result::Error,
    serialize::{self, IsNull, Output, ToSql},
    upsert::excluded,
};
use pgferry_diesel::FerryConnection;

use crate::schema::{ferry_cargoes, ferry_ships};

/// The database's type of [`Rig`], by its name.
#[derive(diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
#[diesel(postgres_type(name = "ferry_rig"))]
pub struct RigType;

/// How a ship sails: an enum of the database's.
#[derive(AsExpression, Clone, Copy, Debug, FromSqlRow, PartialEq, Eq)]
#[diesel(sql_type = RigType)]
pub enum Rig {
    /// Two masts.
    Ketch,
    /// One mast.
    Sloop,
}

/// A ship, as a row.
#[derive(Clone, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = ferry_ships, check_for_backend(Pg))]
pub struct Ship {
    /// Its number.
    pub id: i32,
    /// Its name, which no other has.
    pub name: String,
    /// How it sails.
    pub rig: Rig,
}

/// What a ship carries, as a row.
#[derive(Associations, Clone, Debug, Identifiable, PartialEq, Queryable, Selectable)]
#[diesel(table_name = ferry_cargoes, belongs_to(Ship), check_for_backend(Pg))]
pub struct Cargo {
    /// Its number.
    pub id: i32,
    /// Whose it is.
    pub ship_id: i32,
    /// What it is.
    pub goods: String,
    /// How much of it.
    pub tons: i32,
}

/// Does everything once, in tables of its own that it drops at the end; returns what it found.
///
/// # Errors
///
/// What the database or the transport says.
pub fn run(url: &str) -> anyhow::Result<Vec<String>> {
    let connection = &mut FerryConnection::connect(url)?;
    connection.batch_execute(
        "create type ferry_rig as enum ('ketch', 'sloop');
         create table ferry_ships (id serial primary key, name text not null unique, rig ferry_rig not null);
         create table ferry_cargoes (
             id serial primary key,
             ship_id integer not null references ferry_ships,
             goods text not null,
             tons integer not null check (tons > 0)
         )",
    )?;
    let found = load_and_find(connection);
    connection.batch_execute("drop table ferry_cargoes, ferry_ships; drop type ferry_rig")?;
    found
}

fn load_and_find(connection: &mut FerryConnection) -> anyhow::Result<Vec<String>> {
    let dover = insert(connection, "Dover", Rig::Ketch)?;
    let gent = insert(connection, "Gent", Rig::Ketch)?;
    // There is one of that name already, which is rigged anew.
    assert_eq!(insert(connection, "Gent", Rig::Sloop)?, Ship { rig: Rig::Sloop, ..gent.clone() });
    for (ship, goods, tons) in [(&dover, "apples", 3), (&dover, "pears", 5), (&gent, "coal", 40)] {
        load(connection, ship, goods, tons)?;
    }

    let mut lines = Vec::new();
    let ships = ferry_ships::table.order(ferry_ships::name).select(Ship::as_select()).load(connection)?;
    let cargoes = Cargo::belonging_to(&ships).order(ferry_cargoes::id).select(Cargo::as_select()).load(connection)?;
    for (ship, cargoes) in ships.iter().zip(cargoes.grouped_by(&ships)) {
        let cargoes: Vec<_> = cargoes.iter().map(|cargo| format!("{} t of {}", cargo.tons, cargo.goods)).collect();
        lines.push(format!("{}, a {:?}: {}", ship.name, ship.rig, cargoes.join(", ")));
    }
    let sloops: (i64, Option<i64>) = ferry_cargoes::table
        .inner_join(ferry_ships::table)
        .filter(ferry_ships::rig.eq(Rig::Sloop))
        .select((count(ferry_cargoes::id), sum(ferry_cargoes::tons)))
        .first(connection)?;
    lines.push(format!("sloops: {} cargo, {} t", sloops.0, sloops.1.unwrap_or_default()));

    lines.push(tranship(connection, &dover, &gent)?);
    Ok(lines)
}

fn insert(connection: &mut FerryConnection, name: &str, rig: Rig) -> QueryResult<Ship> {
    diesel::insert_into(ferry_ships::table)
        .values((ferry_ships::name.eq(name), ferry_ships::rig.eq(rig)))
        .on_conflict(ferry_ships::name)
        .do_update()
        .set(ferry_ships::rig.eq(excluded(ferry_ships::rig)))
        .returning(Ship::as_returning())
        .get_result(connection)
}

fn load(connection: &mut FerryConnection, ship: &Ship, goods: &str, tons: i32) -> QueryResult<usize> {
    use ferry_cargoes::columns;

    diesel::insert_into(ferry_cargoes::table)
        .values((columns::ship_id.eq(ship.id), columns::goods.eq(goods), columns::tons.eq(tons)))
        .execute(connection)
}

/// Moves everything to another ship, and takes that back. Where there are no sessions, a transaction is refused with a sentence that
/// says so: the example of batches shows what to do there.
fn tranship(connection: &mut FerryConnection, from: &Ship, to: &Ship) -> QueryResult<String> {
    let mut moved = 0;
    let outcome = connection.transaction(|connection| {
        moved = diesel::update(Cargo::belonging_to(from)).set(ferry_cargoes::ship_id.eq(to.id)).execute(connection)?;
        QueryResult::<()>::Err(Error::RollbackTransaction)
    });
    if let Err(error @ Error::DatabaseError(..)) = outcome {
        return Ok(format!("nothing was moved: {error}"));
    }
    assert_eq!(outcome, Err(Error::RollbackTransaction));
    let left: i64 = Cargo::belonging_to(from).count().get_result(connection)?;
    Ok(format!("moved {moved}, taken back: {left} are where they were"))
}

impl ToSql<RigType, Pg> for Rig {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(match self {
            Self::Ketch => b"ketch",
            Self::Sloop => b"sloop",
        })?;
        Ok(IsNull::No)
    }
}

impl FromSql<RigType, Pg> for Rig {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            b"ketch" => Ok(Self::Ketch),
            b"sloop" => Ok(Self::Sloop),
            other => Err(format!("{} is no rig", String::from_utf8_lossy(other)).into()),
        }
    }
}
