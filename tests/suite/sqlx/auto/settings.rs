use sqlx::{Connection, PgConnection};

use super::Counted;

#[tokio::test]
async fn a_clients_settings_are_in_force_on_both_transports() {
    let counted = Counted::start();
    counted.stage.psql("create schema shop authorization app");
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    let options = options.application_name("till").options([
        ("search_path", "shop"),
        ("statement_timeout", "12345"),
        ("TimeZone", "Asia/Tokyo"),
    ]);
    let mut connection = PgConnection::connect_with(&options).await.unwrap();
    let seen = || {
        sqlx::query_as::<_, (String, String, String, String)>(
            "select current_setting('application_name'), current_schema()::text, current_setting('statement_timeout'), \
             current_database()::text",
        )
    };
    let expected = ("till".into(), "shop".into(), "12345ms".into(), counted.stage.database().into());
    assert_eq!(seen().fetch_one(&mut connection).await.unwrap(), expected);
    assert_eq!(counted.opened(), 0);
    let mut transaction = connection.begin().await.unwrap();
    assert_eq!(seen().fetch_one(&mut *transaction).await.unwrap(), expected);
    sqlx::query("create table made (i int)").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(counted.stage.psql("select schemaname from pg_tables where tablename = 'made'"), "shop");
    assert_eq!(counted.opened(), 1);
}

#[tokio::test]
async fn another_database_is_another_database_on_both_transports() {
    let counted = Counted::start();
    let (options, _guard) = pgferry_sqlx::connect_options(counted.config()).unwrap();
    let mut connection = PgConnection::connect_with(&options.database("template1")).await.unwrap();
    let name = || sqlx::query_scalar::<_, String>("select current_database()::text");
    assert_eq!(name().fetch_one(&mut connection).await.unwrap(), "template1");
    let mut transaction = connection.begin().await.unwrap();
    assert_eq!(name().fetch_one(&mut *transaction).await.unwrap(), "template1");
    transaction.commit().await.unwrap();
}
