use pgferry::{
    execute::Statement,
    http::{BatchOptions, Client, Query},
};

use super::Place;

const RULED: &str = "create table a (n int4); create table log (n int4); grant all on a, log to app;
                     create rule twice as on insert to a do also insert into log values (new.n)";

fn int4(text: &str, value: i32) -> Statement {
    Statement::new(text).param(23, Some(value.to_be_bytes().to_vec().into()))
}

#[tokio::test]
async fn tables_with_rules_take_parameters_in_a_batch() {
    let place = Place::with(RULED);
    let batch = [int4("insert into a values ($1)", 7), int4("select $1", 8)];
    let mut rows = place.session.execute_batch(&batch, BatchOptions::new()).await.unwrap();
    let mut names = Vec::new();
    while let Some(event) = rows.next().await.unwrap() {
        if let pgferry::execute::Event::Columns(columns) = event {
            names.extend(columns.iter().map(|column| column.name.clone()));
        }
    }
    assert_eq!(names, ["?column?"], "a query keeps the names of its columns");
    assert_eq!(place.stage.psql("select n from a union all select n from log"), "7\n7");

    let client = Client::new(&place.stage.config()).unwrap();
    let batch = [Query::new("insert into a values ($1)").bind(9), "select 1".into()];
    client.batch(&batch, BatchOptions::new()).await.unwrap();
    assert_eq!(place.stage.psql("select count(*) from log where n = 9"), "1");
}

#[tokio::test]
async fn places_are_told_where_they_are_certain() {
    let place = Place::with(RULED);
    let position = async |batch: &[Statement]| {
        let error = place.session.execute_batch(batch, BatchOptions::new()).await.unwrap_err();
        error.as_db_error().unwrap().position
    };
    assert_eq!(position(&[int4("select nope, $1", 1)]).await, Some(8));
    assert_eq!(position(&[Statement::new("select 1"), Statement::new("select nope")]).await, Some(8));
    assert_eq!(position(&[int4("select $1", 1), int4("select nope, $1", 1)]).await, None);
}
