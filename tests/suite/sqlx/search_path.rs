//! Types that a name means by a search path that was set after connecting.

use sqlx::{Executor, postgres::PgPoolOptions};

use super::Road;
use pgferry_sqlx::PgPoolOptionsExt;
use pgferry_test_support::Stage;

#[derive(Clone, Copy, Debug, PartialEq, sqlx::Type)]
#[sqlx(type_name = "mood", rename_all = "lowercase")]
enum Mood {
    Sad,
    Happy,
}

async fn made() -> Stage {
    let stage = Stage::start();
    Road::Tcp
        .pool(&stage)
        .await
        .execute(
            "create type public.mood as enum ('sad');
             create schema b; create type b.mood as enum ('sad', 'happy'); create table b.t (m b.mood);
             create schema c; create type c.mood as enum ('sad', 'happy'); create table c.t (m c.mood)",
        )
        .await
        .unwrap();
    stage
}

#[tokio::test]
async fn names_mean_what_the_path_set_on_the_session_says() {
    let stage = made().await;
    for road in Road::SESSIONS {
        for set in
            ["set search_path = b, public", "set search_path = c", "select set_config('search_path', 'b', false)"]
        {
            let options = PgPoolOptions::new()
                .max_connections(1)
                .after_connect(move |connection, _| Box::pin(async move { connection.execute(set).await.map(drop) }));
            let pool = match road {
                Road::Tcp => options.connect(&stage.postgres_url()).await.unwrap(),
                _ => options.connect_over(road.config(&stage)).await.unwrap(),
            };
            let mood: Mood = sqlx::query_scalar("insert into t (m) values ($1) returning m")
                .bind(Mood::Happy)
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(mood, Mood::Happy, "{road:?}: {set}");
            let moods: Vec<Mood> = sqlx::query_scalar("select $1::text::mood[] || $2")
                .bind("{sad}")
                .bind(vec![Mood::Happy])
                .fetch_one(&pool)
                .await
                .unwrap();
            assert_eq!(moods, [Mood::Sad, Mood::Happy], "{road:?}: {set}");
        }
    }
}
