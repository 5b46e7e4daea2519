//! diesel over pgferry: a pool of async connections.
//!
//! ```sh
//! cargo run -p pgferry-example-diesel --bin pool
//! ```
//!
//! starts a throw-away PostgreSQL and a gateway before it. With `DATABASE_URL` set, it uses that database instead.

#![expect(clippy::print_stdout, reason = "a program that shows something on the terminal")]

use pgferry_example_diesel::Database;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let database = Database::find()?;
    for line in pgferry_example_diesel::pool::run(&database.url()).await? {
        println!("{line}");
    }
    Ok(())
}
