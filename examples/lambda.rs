//! A function on AWS Lambda that returns one post by its id, with sqlx over HTTP.
//!
//! The platform gives `DATABASE_URL` and calls `{"id": 1}`. Build it for the platform with `cargo lambda build`, or as any
//! program for its Linux, named `bootstrap`.
//!
//! The pool is made once for each instance and opens nothing until the first call. Over HTTP nothing stays open that a freeze
//! could break: a connection that has been idle is not used again.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};

#[derive(sqlx::FromRow)]
struct Post {
    id: i64,
    title: String,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let config = Config::from_env()?.transport(Transport::Http);
    // An instance serves one call at a time.
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_over(config)?;
    lambda_runtime::run(service_fn(|event| post(&pool, event))).await
}

async fn post(pool: &PgPool, event: LambdaEvent<Value>) -> Result<Value, Error> {
    let id = event.payload["id"].as_i64().ok_or("the event has no id")?;
    let post: Option<Post> =
        sqlx::query_as("select id, title from posts where id = $1").bind(id).fetch_optional(pool).await?;
    Ok(post.map_or(Value::Null, |Post { id, title }| json!({ "id": id, "title": title })))
}
