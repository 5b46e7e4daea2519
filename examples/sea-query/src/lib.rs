//! Statements made with sea-query, their values bound by sea-query-sqlx.

use pgferry_sqlx::Config;
use sea_query::{
    Alias, ColumnDef, Expr, ExprTrait, ForeignKey, ForeignKeyAction, Func, Iden, Index, JoinType, OnConflict, Order,
    PostgresQueryBuilder, Query, Table, extension::postgres::Type,
};
use sea_query_sqlx::SqlxBinder;
use sqlx::{AssertSqlSafe, PgPool};

/// The table of crews.
#[derive(Clone, Copy, Iden)]
pub enum Crews {
    /// The table itself.
    Table,
    /// Its key, given by the database.
    Id,
    /// What the crew is called.
    Name,
    /// How it feels, an enum of the database's.
    Mood,
}

/// The table of sailors.
#[derive(Clone, Copy, Iden)]
pub enum Sailors {
    /// The table itself.
    Table,
    /// The sailor's name.
    Name,
    /// The key of the crew.
    CrewId,
    /// The sailor's pay, which may be unknown.
    Pay,
}

/// A crew with what its sailors are paid together.
#[derive(Debug, PartialEq, sqlx::FromRow)]
pub struct Paid {
    /// The crew's name.
    pub name: String,
    /// How many sailors it has.
    pub sailors: i64,
    /// The sum of their pay, `None` where none is known.
    pub pay: Option<i64>,
}

/// Does everything once and drops its tables at the end; returns what it found.
///
/// # Errors
///
/// What the database or the transport says.
pub async fn run(config: &Config) -> anyhow::Result<Vec<String>> {
    let pool = pgferry_sqlx::pool(config).await?;
    create(&pool).await?;
    let ferry = add_crew(&pool, "Ferry", "ok").await?;
    let raft = add_crew(&pool, "Raft", "sad").await?;
    add_sailors(&pool, &[("Ada", ferry, Some(30)), ("Bo", ferry, None), ("Cy", raft, Some(10))]).await?;
    // The second time only the pay changes.
    add_sailors(&pool, &[("Bo", ferry, Some(5))]).await?;
    let mut lines = Vec::new();
    for Paid { name, sailors, pay } in pay(&pool, 1).await? {
        lines.push(format!("{name}: {sailors} sailors, {}", pay.unwrap_or_default()));
    }
    lines.push(format!("{} cheered up", cheer_up(&pool).await?));
    drop_all(&pool).await?;
    pool.close().await;
    Ok(lines)
}

/// Makes the enum, the tables and an index, each by a statement of its own.
///
/// # Errors
///
/// What the database says.
pub async fn create(pool: &PgPool) -> sqlx::Result<()> {
    for statement in schema() {
        // The text is sea-query's, with nothing of a user's in it.
        sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    }
    Ok(())
}

/// Returns the statements that [`create`] executes.
#[must_use]
pub fn schema() -> [String; 4] {
    [
        Type::create().as_enum("mood").values(["sad", "ok"]).to_string(PostgresQueryBuilder),
        Table::create()
            .table(Crews::Table)
            .col(ColumnDef::new(Crews::Id).integer().not_null().auto_increment().primary_key())
            .col(ColumnDef::new(Crews::Name).string().not_null().unique_key())
            .col(ColumnDef::new(Crews::Mood).custom("mood").not_null())
            .to_string(PostgresQueryBuilder),
        Table::create()
            .table(Sailors::Table)
            .col(ColumnDef::new(Sailors::Name).string().not_null().primary_key())
            .col(ColumnDef::new(Sailors::CrewId).integer().not_null())
            .col(ColumnDef::new(Sailors::Pay).integer())
            .foreign_key(
                ForeignKey::create()
                    .from(Sailors::Table, Sailors::CrewId)
                    .to(Crews::Table, Crews::Id)
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_string(PostgresQueryBuilder),
        Index::create().name("sailors_crew").table(Sailors::Table).col(Sailors::CrewId).to_string(PostgresQueryBuilder),
    ]
}

/// Drops what [`create`] made.
///
/// # Errors
///
/// What the database says.
pub async fn drop_all(pool: &PgPool) -> sqlx::Result<()> {
    let tables = Table::drop().table(Sailors::Table).table(Crews::Table).to_string(PostgresQueryBuilder);
    let mood = Type::drop().name("mood").to_string(PostgresQueryBuilder);
    for statement in [tables, mood] {
        sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    }
    Ok(())
}

/// Adds a crew and returns the key that the database gave it.
///
/// # Errors
///
/// What the database says.
pub async fn add_crew(pool: &PgPool, name: &str, mood: &str) -> sqlx::Result<i32> {
    let (text, values) = Query::insert()
        .into_table(Crews::Table)
        .columns([Crews::Name, Crews::Mood])
        .values_panic([name.into(), Expr::val(mood).cast_as("mood")])
        .returning_col(Crews::Id)
        .build_sqlx(PostgresQueryBuilder);
    sqlx::query_scalar_with(AssertSqlSafe(text), values).fetch_one(pool).await
}

/// Adds sailors by one statement; of those that are there already, the pay changes.
///
/// # Errors
///
/// What the database says.
pub async fn add_sailors(pool: &PgPool, sailors: &[(&str, i32, Option<i32>)]) -> sqlx::Result<u64> {
    let mut insert = Query::insert();
    insert.into_table(Sailors::Table).columns([Sailors::Name, Sailors::CrewId, Sailors::Pay]);
    for (name, crew, pay) in sailors {
        insert.values_panic([(*name).into(), (*crew).into(), (*pay).into()]);
    }
    insert.on_conflict(OnConflict::column(Sailors::Name).update_column(Sailors::Pay).to_owned());
    let (text, values) = insert.build_sqlx(PostgresQueryBuilder);
    Ok(sqlx::query_with(AssertSqlSafe(text), values).execute(pool).await?.rows_affected())
}

/// Returns what each crew of at least so many sailors is paid, the best paid first.
///
/// # Errors
///
/// What the database says.
pub async fn pay(pool: &PgPool, least: i64) -> sqlx::Result<Vec<Paid>> {
    let count = || Func::count(Expr::col((Sailors::Table, Sailors::Name)));
    let (text, values) = Query::select()
        .column((Crews::Table, Crews::Name))
        .expr_as(count(), "sailors")
        .expr_as(Func::sum(Expr::col((Sailors::Table, Sailors::Pay))), "pay")
        .from(Crews::Table)
        .join(
            JoinType::LeftJoin,
            Sailors::Table,
            Expr::col((Sailors::Table, Sailors::CrewId)).equals((Crews::Table, Crews::Id)),
        )
        .group_by_col((Crews::Table, Crews::Name))
        .and_having(Expr::from(count()).gte(least))
        .order_by(Alias::new("pay"), Order::Desc)
        .build_sqlx(PostgresQueryBuilder);
    sqlx::query_as_with(AssertSqlSafe(text), values).fetch_all(pool).await
}

/// Cheers up every crew that is sad and has somebody in it; returns how many that were.
///
/// # Errors
///
/// What the database says.
pub async fn cheer_up(pool: &PgPool) -> sqlx::Result<u64> {
    let (text, values) = Query::update()
        .table(Crews::Table)
        .value(Crews::Mood, Expr::val("ok").cast_as("mood"))
        .and_where(Expr::col(Crews::Mood).eq(Expr::val("sad").cast_as("mood")))
        .and_where(
            Expr::col(Crews::Id).in_subquery(Query::select().column(Sailors::CrewId).from(Sailors::Table).to_owned()),
        )
        .build_sqlx(PostgresQueryBuilder);
    Ok(sqlx::query_with(AssertSqlSafe(text), values).execute(pool).await?.rows_affected())
}
