//! Moves money between accounts in one transaction, over HTTP, which has no session: sqlx's queries as one batch, one request.
//!
//! ```sh
//! cargo run --example batch
//! ```
//!
//! starts a throw-away PostgreSQL and a gateway before it. With `DATABASE_URL` set, it uses that database instead, where it creates
//! a table `pgferry_accounts` and drops it again.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that shows something on the terminal")]

use std::env;

use anyhow::{Context, ensure};
use pgferry_sqlx::{Config, Ferry, IsolationLevel};
use pgferry_test_support::{Postgres, TestGateway};

#[derive(Debug, sqlx::FromRow)]
struct Account {
    name: String,
    balance: i64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Both run until they are dropped.
    let (config, _servers) = match env::var_os("DATABASE_URL") {
        Some(_) => (Config::from_env()?, None),
        None => {
            eprintln!("DATABASE_URL is not set: a throw-away PostgreSQL is started, and a gateway in front of it");
            let postgres = Postgres::start().context("a throw-away PostgreSQL cannot be started: set DATABASE_URL")?;
            let gateway = TestGateway::start(&postgres)?;
            (gateway.ferry(&postgres.url()).parse()?, Some((gateway, postgres)))
        }
    };
    let ferry = Ferry::connect(config).await?;
    create(&ferry).await?;
    let moved = move_money(&ferry).await;
    sqlx::query("drop table pgferry_accounts").execute(&ferry).await?;
    ferry.close().await;
    moved
}

async fn create(ferry: &Ferry) -> sqlx::Result<()> {
    let mut batch = ferry.batch();
    batch
        .execute("create table pgferry_accounts (name text primary key, balance bigint not null check (balance >= 0))");
    for (name, balance) in [("ann", 100_i64), ("bob", 20)] {
        batch.execute(sqlx::query("insert into pgferry_accounts values ($1, $2)").bind(name).bind(balance));
    }
    batch.send().await.map(drop)
}

async fn move_money(ferry: &Ferry) -> anyhow::Result<()> {
    let accounts = transfer(ferry, "ann", "bob", 30).await?;
    for Account { name, balance } in &accounts {
        println!("{name} has {balance}");
    }

    // What one statement fails at, none has done.
    let error = transfer(ferry, "bob", "ann", 1000).await.expect_err("bob does not have as much");
    println!("bob pays 1000: {error}");
    let balance: i64 =
        sqlx::query_scalar("select balance from pgferry_accounts where name = 'ann'").fetch_one(ferry).await?;
    ensure!(balance == 70, "ann was paid nevertheless and has {balance}");
    println!("ann still has {balance}");
    Ok(())
}

async fn transfer(ferry: &Ferry, from: &str, to: &str, amount: i64) -> sqlx::Result<Vec<Account>> {
    let mut batch = ferry.batch();
    batch.isolation_level(IsolationLevel::Serializable);
    batch.execute(
        sqlx::query("update pgferry_accounts set balance = balance + $1 where name = $2").bind(amount).bind(to),
    );
    batch.execute(
        sqlx::query("update pgferry_accounts set balance = balance - $1 where name = $2").bind(amount).bind(from),
    );
    let accounts = batch.fetch_all(sqlx::query_as("select name, balance from pgferry_accounts order by name"));
    batch.send().await?.take(accounts)
}
