//! diesel over pgferry: a connection that blocks.
//!
//! ```sh
//! cargo run -p pgferry-example-diesel --bin sync
//! ```
//!
//! starts a throw-away PostgreSQL and a gateway before it. With `DATABASE_URL` set, it uses that database instead.

#![expect(clippy::print_stdout, reason = "a program that shows something on the terminal")]

use pgferry_example_diesel::Database;

fn main() -> anyhow::Result<()> {
    let database = Database::find()?;
    for line in pgferry_example_diesel::sync::run(&database.url())? {
        println!("{line}");
    }
    Ok(())
}
