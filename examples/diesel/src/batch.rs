//! Moves money between accounts in one transaction, over HTTP, which has no session: diesel's queries as one batch, one request.

use anyhow::ensure;
use diesel::{connection::SimpleConnection, prelude::*};
use pgferry_diesel::FerryConnection;

use crate::schema::ferry_accounts;

/// Does everything once, in a table of its own that it drops at the end; returns what it found.
///
/// # Errors
///
/// What the database or the transport says.
pub fn run(url: &str) -> anyhow::Result<Vec<String>> {
    let connection = &mut FerryConnection::connect(url)?;
    connection.batch_execute(
        "create table ferry_accounts (name text primary key, balance bigint not null check (balance >= 0));
         insert into ferry_accounts values ('ann', 100), ('bob', 20)",
    )?;
    let moved = move_money(connection);
    connection.batch_execute("drop table ferry_accounts")?;
    moved
}

fn move_money(connection: &mut FerryConnection) -> anyhow::Result<Vec<String>> {
    let accounts = transfer(connection, "ann", "bob", 30)?;
    let mut lines: Vec<_> = accounts.into_iter().map(|(name, balance)| format!("{name} has {balance}")).collect();

    // What one statement fails at, none has done.
    let error = transfer(connection, "bob", "ann", 1000).expect_err("bob does not have as much");
    lines.push(format!("bob pays 1000: {error}"));
    let balance: i64 = ferry_accounts::table.find("ann").select(ferry_accounts::balance).first(connection)?;
    ensure!(balance == 70, "ann was paid nevertheless and has {balance}");
    lines.push(format!("ann still has {balance}"));
    Ok(lines)
}

fn transfer(connection: &mut FerryConnection, from: &str, to: &str, amount: i64) -> QueryResult<Vec<(String, i64)>> {
    use ferry_accounts::columns::balance;

    let mut batch = connection.batch();
    batch.add_execute(diesel::update(ferry_accounts::table.find(to)).set(balance.eq(balance + amount)));
    batch.add_execute(diesel::update(ferry_accounts::table.find(from)).set(balance.eq(balance - amount)));
    let accounts = batch.add_load(ferry_accounts::table.order(ferry_accounts::name));
    batch.send()?.take(accounts)
}
