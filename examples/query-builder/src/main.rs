//! sqlx's QueryBuilder over pgferry.
//!
//! ```sh
//! cargo run -p pgferry-example-query-builder
//! ```
//!
//! starts a throw-away PostgreSQL and a gateway before it. With `DATABASE_URL` set, it uses that database instead.

#![expect(clippy::print_stdout, reason = "a program that shows something on the terminal")]

use std::env;

use pgferry_sqlx::Config;
use pgferry_test_support::Stage;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // It runs until it is dropped.
    let stage = env::var_os("DATABASE_URL").is_none().then(Stage::start);
    let config = match &stage {
        Some(stage) => stage.config(),
        None => Config::from_env()?,
    };
    for line in pgferry_example_query_builder::run(&config).await? {
        println!("{line}");
    }
    Ok(())
}
