//! SeaORM on a pool of pgferry's: entities and their relations, transactions, migrations.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! let database = pgferry_example_sea_orm::connect("postgresql://app:secret@db.example.com/app").await?;
//! # Ok(())
//! # }
//! ```

pub mod entity;
pub mod migration;

use pgferry_sqlx::{Config, Error};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    SqlxPostgresConnector, TransactionSession, TransactionTrait,
    prelude::{Expr, Uuid},
};
use sea_orm_migration::MigratorTrait;

use self::{
    entity::{
        crew::{self, Mood},
        sailor,
    },
    migration::Migrator,
};

/// Opens a pool and gives it to SeaORM: the one line that differs from a program that connects over TCP.
///
/// # Errors
///
/// What sqlx says when it cannot connect.
pub async fn connect<T>(target: T) -> sqlx::Result<DatabaseConnection>
where
    T: TryInto<Config> + Send,
    T::Error: Into<Error>,
{
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pgferry_sqlx::pool(target).await?))
}

/// Migrates, does everything once, and reverts the migrations; returns what it found.
///
/// # Errors
///
/// What the database or the transport says: migrations and transactions need a session.
pub async fn run(config: &Config) -> anyhow::Result<Vec<String>> {
    let database = connect(config).await?;
    Migrator::up(&database, None).await?;
    let [ferry, raft] = [Uuid::from_u128(1), Uuid::from_u128(2)];
    add_crew(&database, ferry, "Ferry", &[("Ada", Some(30)), ("Bo", None)]).await?;
    add_crew(&database, raft, "Raft", &[("Cy", Some(10))]).await?;
    move_sailor(&database, "Bo", raft).await?;
    let mut lines = Vec::new();
    for (crew, sailors) in crews(&database).await? {
        let names: Vec<_> = sailors.into_iter().map(|sailor| sailor.name).collect();
        lines.push(format!("{}: {}", crew.name, names.join(", ")));
    }
    Migrator::down(&database, None).await?;
    database.close().await?;
    Ok(lines)
}

/// Adds a crew and its sailors in one transaction.
///
/// # Errors
///
/// What the database says, or that the transport has no transactions.
pub async fn add_crew<C>(database: &C, id: Uuid, name: &str, sailors: &[(&str, Option<i64>)]) -> Result<(), DbErr>
where
    C: TransactionTrait,
{
    let transaction = database.begin().await?;
    insert_crew(&transaction, id, name).await?;
    insert_sailors(&transaction, id, sailors).await?;
    transaction.commit().await
}

/// Adds a crew by one statement, which needs no session.
///
/// # Errors
///
/// What the database says.
pub async fn insert_crew<C: ConnectionTrait>(database: &C, id: Uuid, name: &str) -> Result<crew::Model, DbErr> {
    let crew = crew::ActiveModel {
        id: Set(id),
        name: Set(name.to_owned()),
        mood: Set(Mood::Sad),
        log: Set(sea_orm::JsonValue::Array(vec![name.into()])),
        ports: Set(vec!["Dover".to_owned(), String::new()]),
    };
    crew.insert(database).await
}

/// Adds sailors by one statement, which needs no session.
///
/// # Errors
///
/// What the database says.
pub async fn insert_sailors<C>(database: &C, crew: Uuid, sailors: &[(&str, Option<i64>)]) -> Result<(), DbErr>
where
    C: ConnectionTrait,
{
    let sailors = sailors.iter().map(|(name, pay)| sailor::ActiveModel {
        crew_id: Set(crew),
        name: Set((*name).to_owned()),
        pay: Set(*pay),
        ..Default::default()
    });
    sailor::Entity::insert_many(sailors).exec(database).await?;
    Ok(())
}

/// Moves a sailor to another crew, which that cheers up; in one transaction.
///
/// # Errors
///
/// What the database says, or that the transport has no transactions.
pub async fn move_sailor<C: TransactionTrait>(database: &C, name: &str, to: Uuid) -> Result<(), DbErr> {
    let transaction = database.begin().await?;
    sailor::Entity::update_many()
        .col_expr(sailor::Column::CrewId, Expr::value(to))
        .filter(sailor::Column::Name.eq(name))
        .exec(&transaction)
        .await?;
    let crew = crew::Entity::find_by_id(to).one(&transaction).await?;
    let mut crew = crew.ok_or_else(|| DbErr::RecordNotFound(to.to_string()))?.into_active_model();
    crew.mood = Set(Mood::Ok);
    crew.update(&transaction).await?;
    transaction.commit().await
}

/// Returns the crews by name, each with its sailors by name.
///
/// # Errors
///
/// What the database says.
pub async fn crews<C: ConnectionTrait>(database: &C) -> Result<Vec<(crew::Model, Vec<sailor::Model>)>, DbErr> {
    crew::Entity::find()
        .find_with_related(sailor::Entity)
        .order_by_asc(crew::Column::Name)
        .order_by_asc(sailor::Column::Name)
        .all(database)
        .await
}
