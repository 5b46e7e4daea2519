use pgferry::{Outcome, execute::Statement};

use super::{Place, run, text};

#[tokio::test]
async fn types_are_those_that_the_server_infers() {
    let place = Place::with("create type mood as enum ('sad'); create table t (a int8, m mood); grant all on t to app");
    let mood = place.oid("mood");
    for (statement, declared, types) in [
        ("select $1::int4 + $2", &[][..], vec![23, 23]),
        ("insert into t values ($1, $2)", &[], vec![20, mood]),
        ("select * from t where m = $2 and a = $1", &[0, 705], vec![20, mood]),
        ("; /* x */ (select $1 union select $2::date)", &[], vec![1082, 1082]),
        ("select $1, $2::int4", &[21, 0], vec![21, 23]),
        ("select $1", &[mood], vec![mood]),
        ("with x as (select $1::mood as y) select y from x where $2", &[mood], vec![mood, 16]),
        ("call nothing($1)", &[], vec![]),
        ("create table u (a int4)", &[], vec![]),
        ("select 1", &[23], vec![23]),
    ] {
        for _ in 0..2 {
            assert_eq!(place.session.describe(&statement.into(), declared).await.unwrap(), types, "{statement}");
        }
    }
    assert_eq!(place.stage.psql("select count(*) from t"), "0", "nothing was run");
}

#[tokio::test]
async fn errors_are_placed_in_the_users_text() {
    let place = Place::with("");
    for (statement, code, position) in [
        ("select $1 + nope", "42703", 13),
        (" ; select é, $1", "42703", 11),
        ("select lower $1", "42601", 14),
        ("select jsonb_build_object('a', $1)", "42P18", 0),
    ] {
        let error = place.session.describe(&statement.into(), &[]).await.unwrap_err();
        let told = error.as_db_error().unwrap();
        assert_eq!(told.code.as_ref().unwrap().as_str(), code, "{error}");
        assert_eq!(told.position.unwrap_or(0), position, "{error}");
        assert_ne!(error.outcome(), Outcome::Unknown);
    }
}

#[tokio::test]
async fn binary_parameters_without_a_type_mean_what_they_mean_to_the_server() {
    let place = Place::with("create type mood as enum ('sad'); create table t (a int8, m mood); grant all on t to app");
    let statement = Statement::new("insert into t values ($1, $2) returning format('%s %s', a, m)")
        .param(0, Some(7_i64.to_be_bytes().to_vec().into()))
        .param(705, Some(b"sad".to_vec().into()));
    assert_eq!(text(&run(&place.session, statement).await.unwrap()), "7 sad");

    let mut fewer = Statement::new("select format('%s', $1 + $2::int4)").param(23, Some(vec![0, 0, 0, 1].into()));
    fewer.params.push(Some(vec![0, 0, 0, 2].into()));
    assert_eq!(text(&run(&place.session, fewer).await.unwrap()), "3");

    let mut more = Statement::new("select $1::int4").param(0, Some(vec![0, 0, 0, 1].into()));
    more.params.push(Some(vec![0, 0, 0, 2].into()));
    let error = run(&place.session, more).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "08P01");
}
