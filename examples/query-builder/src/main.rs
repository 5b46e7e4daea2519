//! sqlx's QueryBuilder over pgferry.

fn main() {}
