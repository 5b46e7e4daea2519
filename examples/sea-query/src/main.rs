//! sea-query over pgferry.

fn main() {}
