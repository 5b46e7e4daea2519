//! Statements made with sqlx's `QueryBuilder`: rows at once, lists, conditions that are there or not.

use pgferry_sqlx::Config;
use sqlx::{PgPool, Postgres, QueryBuilder, types::Json};

/// A ship, as a row.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Ship {
    /// Its name, which no other has.
    pub name: String,
    /// What it carries, in tons.
    pub tons: i32,
    /// How it sails.
    pub rig: Rig,
    /// Where it calls.
    pub ports: Vec<String>,
}

/// How a ship sails: an enum of the database's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "rig", rename_all = "lowercase")]
pub enum Rig {
    /// Two masts.
    Ketch,
    /// One mast.
    Sloop,
}

/// What ships are looked for by; what is `None` or empty does not count.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// At least so many tons.
    pub least_tons: Option<i32>,
    /// One of these names.
    pub names: Vec<String>,
    /// One of these pairs.
    pub pairs: Vec<(String, i32)>,
}

/// Does everything once, in a schema of its own that it drops at the end; returns what it found.
///
/// # Errors
///
/// What the database or the transport says.
pub async fn run(config: &Config) -> anyhow::Result<Vec<String>> {
    let pool = pgferry_sqlx::pool(config).await?;
    create(&pool).await?;
    let ships = [
        ("Ferry", 300, Rig::Ketch, &["Dover", "Calais"][..]),
        ("Raft", 1, Rig::Sloop, &[]),
        ("Barge", 120, Rig::Sloop, &["Gent"]),
    ]
    .map(|(name, tons, rig, ports)| Ship {
        name: name.into(),
        tons,
        rig,
        ports: ports.iter().map(|port| (*port).to_owned()).collect(),
    });
    insert(&pool, &ships).await?;
    let mut lines = Vec::new();
    for wanted in [
        Wanted::default(),
        Wanted { least_tons: Some(100), ..Wanted::default() },
        Wanted { names: vec!["Raft".into(), "Barge".into()], ..Wanted::default() },
        Wanted { pairs: vec![("Ferry".into(), 300), ("Raft".into(), 2)], ..Wanted::default() },
    ] {
        let names: Vec<String> = find(&pool, &wanted).await?.into_iter().map(|ship| ship.name).collect();
        lines.push(names.join(", "));
    }
    drop_all(&pool).await?;
    pool.close().await;
    Ok(lines)
}

/// Makes the table and its enum, in one text and so in one transaction.
///
/// # Errors
///
/// What the database says.
pub async fn create(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::raw_sql(
        "create type rig as enum ('ketch', 'sloop');
         create table ships (name text primary key, tons int not null, rig rig not null, ports text[] not null, log jsonb)",
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Drops what [`create`] made.
///
/// # Errors
///
/// What the database says.
pub async fn drop_all(pool: &PgPool) -> sqlx::Result<()> {
    sqlx::raw_sql("drop table ships; drop type rig").execute(pool).await?;
    Ok(())
}

/// Inserts all ships by one statement, and returns how many were new.
///
/// # Errors
///
/// What the database says.
pub async fn insert(pool: &PgPool, ships: &[Ship]) -> sqlx::Result<u64> {
    let mut builder = QueryBuilder::<Postgres>::new("insert into ships (name, tons, rig, ports, log) ");
    builder.push_values(ships, |mut row, ship| {
        row.push_bind(&ship.name)
            .push_bind(ship.tons)
            .push_bind(ship.rig)
            .push_bind(&ship.ports)
            .push_bind(Json(&ship.ports));
    });
    builder.push(" on conflict (name) do nothing");
    Ok(builder.build().execute(pool).await?.rows_affected())
}

/// Finds the ships that are wanted, by name.
///
/// # Errors
///
/// What the database says.
pub async fn find(pool: &PgPool, wanted: &Wanted) -> sqlx::Result<Vec<Ship>> {
    let mut builder = QueryBuilder::<Postgres>::new("select name, tons, rig, ports from ships where true");
    if let Some(least) = wanted.least_tons {
        builder.push(" and tons >= ").push_bind(least);
    }
    if !wanted.names.is_empty() {
        builder.push(" and name in (");
        let mut names = builder.separated(", ");
        for name in &wanted.names {
            names.push_bind(name);
        }
        names.push_unseparated(")");
    }
    if !wanted.pairs.is_empty() {
        builder.push(" and (name, tons) in ");
        builder.push_tuples(&wanted.pairs, |mut tuple, (name, tons)| {
            tuple.push_bind(name).push_bind(tons);
        });
    }
    builder.push(" order by name");
    builder.build_query_as().fetch_all(pool).await
}

/// Sells all ships below a tonnage, and returns the text of the statement that did it and their names.
///
/// # Errors
///
/// What the database says.
pub async fn sell(pool: &PgPool, below: i32) -> sqlx::Result<(String, Vec<String>)> {
    let mut builder = QueryBuilder::<Postgres>::new("delete from ships where tons < ");
    builder.push_bind(below).push(" returning name");
    let text = builder.sql().as_str().to_owned();
    let names = builder.build_query_scalar().fetch_all(pool).await?;
    Ok((text, names))
}
