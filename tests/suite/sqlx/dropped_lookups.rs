//! Queries that are dropped while sqlx asks for the types of their results.

use std::time::Duration;

use futures_util::poll;
use sqlx::Executor;

use super::Road;
use pgferry_test_support::Stage;

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Happy,
}

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "place")]
struct Place {
    x: Option<i32>,
    feeling: Option<Mood>,
}

/// How many times a query is polled at most before it is dropped: by then it has ended.
const MOST_POLLS: usize = 6;

#[tokio::test]
async fn types_that_were_asked_for_in_vain_are_told_again() {
    let stage = Stage::start();
    let admin = Road::Tcp.pool(&stage).await;
    admin
        .execute(
            "create type mood as enum ('happy'); create type place as (x int, feeling mood);
             create table t (m mood, p place); insert into t values ('happy', (1, 'happy'))",
        )
        .await
        .unwrap();
    for road in Road::ALL {
        for polls in 1..=MOST_POLLS {
            for first in ["select 1 as a from t", "select m from t"] {
                let pool = road.pool(&stage).await;
                let mut connection = pool.acquire().await.unwrap();
                {
                    let mut dropped = Box::pin(sqlx::query(first).fetch_all(&mut *connection));
                    for _ in 0..polls {
                        if poll!(&mut dropped).is_ready() {
                            break;
                        }
                        tokio::time::sleep(Duration::from_millis(30)).await;
                    }
                }
                for _ in 0..2 {
                    let mood: Mood = sqlx::query_scalar("select m from t").fetch_one(&mut *connection).await.unwrap();
                    assert_eq!(mood, Mood::Happy, "{road:?}, {polls} polls of {first}");
                }
                let place: Place = sqlx::query_scalar("select p from t").fetch_one(&mut *connection).await.unwrap();
                assert_eq!(place.feeling, Some(Mood::Happy), "{road:?}, {polls} polls of {first}");
                let moods: Vec<Mood> =
                    sqlx::query_scalar("select array[m] from t").fetch_one(&mut *connection).await.unwrap();
                assert_eq!(moods, [Mood::Happy], "{road:?}, {polls} polls of {first}");
            }
        }
    }
}
