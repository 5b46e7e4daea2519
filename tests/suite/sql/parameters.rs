use anyhow::Result;
use pgferry::sql;
use pgferry_test_support::Postgres;

const INT4: pgferry::Oid = 23;

#[test]
fn as_many_are_declared_as_postgres_takes() -> Result<()> {
    let postgres = Postgres::shared()?;
    for count in [1664, 1665, 2000, 32767, 65535] {
        let typed = sql::typed("select $1 + 1", &vec![INT4; count])?;
        let counted = postgres.psql(&format!(
            "prepare p as {}; select cardinality(parameter_types) from pg_prepared_statements",
            typed.text
        ))?;
        assert_eq!(counted, count.to_string());
    }
    Ok(())
}
