//! SeaORM over pgferry.

fn main() {}
