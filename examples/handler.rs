//! The standard example of the serverless providers: an HTTP handler that returns one post by its id as JSON, once with sqlx
//! and once with diesel.
//!
//! ```sh
//! cargo run --example handler
//! curl http://127.0.0.1:3000/sqlx/posts/1
//! curl http://127.0.0.1:3000/diesel/posts/1
//! ```
//!
//! It starts a throw-away PostgreSQL and a gateway before it, with a table `posts`. With `DATABASE_URL` set, it uses that
//! database's `posts (id bigint, title text, body text)`. `PORT` changes the port.

#![expect(clippy::print_stdout, reason = "a program that shows something on the terminal")]

use std::{convert::Infallible, env};

use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use pgferry_sqlx::{Config, Transport};
use pgferry_test_support::{Postgres, TestGateway};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::net::TcpListener;

/// What the handlers need: sqlx has a pool; diesel's connections are opened for each request, as a function does that runs
/// once for each.
#[derive(Clone)]
struct Database {
    config: Config,
    pool: PgPool,
}

mod with_sqlx {
    use super::*;

    #[derive(sqlx::FromRow)]
    struct Post {
        id: i64,
        title: String,
        body: Option<String>,
    }

    pub(super) async fn post(database: Database, id: i64) -> anyhow::Result<Option<Value>> {
        let post: Option<Post> = sqlx::query_as("select id, title, body from posts where id = $1")
            .bind(id)
            .fetch_optional(&database.pool)
            .await?;
        Ok(post.map(|Post { id, title, body }| json!({ "id": id, "title": title, "body": body })))
    }
}

mod with_diesel {
    use diesel::prelude::*;
    use pgferry_diesel::FerryConnection;

    use super::*;

    diesel::table! {
        posts (id) {
            id -> BigInt,
            title -> Text,
            body -> Nullable<Text>,
        }
    }

    #[derive(Queryable, Selectable)]
    #[diesel(table_name = posts, check_for_backend(diesel::pg::Pg))]
    struct Post {
        id: i64,
        title: String,
        body: Option<String>,
    }

    pub(super) async fn post(database: Database, id: i64) -> anyhow::Result<Option<Value>> {
        let post = tokio::task::spawn_blocking(move || -> anyhow::Result<_> {
            let mut connection = FerryConnection::connect(&database.config)?;
            Ok(posts::table.find(id).select(Post::as_select()).first(&mut connection).optional()?)
        })
        .await??;
        Ok(post.map(|Post { id, title, body }| json!({ "id": id, "title": title, "body": body })))
    }
}

async fn handle(database: Database, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
    let found = match *path.as_slice() {
        [library, "posts", id] => match (library, id.parse()) {
            ("sqlx", Ok(id)) => with_sqlx::post(database, id).await,
            ("diesel", Ok(id)) => with_diesel::post(database, id).await,
            _ => Ok(None),
        },
        _ => Ok(None),
    };
    let (status, body) = match found {
        Ok(Some(post)) => (StatusCode::OK, post),
        Ok(None) => (StatusCode::NOT_FOUND, json!({ "error": "there is no such post" })),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, json!({ "error": format!("{error:#}") })),
    };
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Both run until they are dropped.
    let (config, _servers) = match env::var_os("DATABASE_URL") {
        Some(_) => (Config::from_env()?, None),
        None => {
            let postgres = Postgres::start()?;
            let gateway = TestGateway::start(&postgres)?;
            let config: Config = gateway.ferry(&postgres.url()).parse()?;
            // One request a query: what a handler that runs one query needs.
            let config = config.transport(Transport::Http);
            let pool = pgferry_sqlx::pool(&config).await?;
            sqlx::raw_sql(
                "create table posts (id bigint primary key, title text not null, body text);
                 insert into posts values (1, 'All aboard', 'The first post.'), (2, 'Nothing to say', null)",
            )
            .execute(&pool)
            .await?;
            (config, Some((gateway, postgres)))
        }
    };
    let pool = pgferry_sqlx::pool(&config).await?;
    let database = Database { config, pool };

    let port: u16 = env::var("PORT").ok().map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let database = database.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| handle(database.clone(), request));
            // A client that hangs up has its reasons.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
