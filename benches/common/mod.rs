//! What the benches that measure roads to a server have in common.

pub(crate) mod cpu;
pub(crate) mod gateway;
pub(crate) mod options;
pub(crate) mod table;

/// 100 000 rows of 5 columns.
pub(crate) const ITEMS: &str = "
    create table items (id int8 primary key, name text not null, made timestamptz not null, amount float8 not null, good bool not null);
    insert into items select n, 'item number ' || n, timestamptz '2024-01-01' + n * interval '1 minute', n / 7.0, n % 3 = 0
        from generate_series(1, 100000) n;
    grant select on items to app;
    analyze items;
";
