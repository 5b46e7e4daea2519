//! Load on the gateway, and what a request costs it.

fn main() {}
