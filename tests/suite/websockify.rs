//! pgferry's clients over a WebSocket server that is not ours: websockify, which knows nothing of Postgres and passes bytes on.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::{fd::OwnedFd, unix::process::CommandExt},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use diesel::{
    connection::SimpleConnection,
    dsl::sql,
    prelude::*,
    sql_types::{Integer, Text},
};
use futures_util::TryStreamExt;
use pgferry_diesel::FerryConnection;
use pgferry_test_support::Postgres;
use rustix::process::{Pid, Signal, kill_process_group};
use sqlx::{
    PgPool,
    postgres::{PgListener, PgPoolCopyExt},
};

/// A statement that is easy to find among the server's sessions.
const LONG: &str = "select 1 from pg_sleep(600)";

/// websockify on a port of 127.0.0.1, before a server.
struct Websockify {
    process: Child,
    address: SocketAddr,
    target: u16,
}

impl Websockify {
    fn start(target: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        Ok(Self { process: Self::serve(listener, target)?, address, target })
    }

    /// It takes a socket that listens already, so nobody has to wait until it does.
    fn serve(listener: TcpListener, target: u16) -> Result<Child> {
        let process = Command::new("websockify")
            // It ends by itself where the test was killed.
            .args(["--inetd", "--idle-timeout=300", &format!("127.0.0.1:{target}")])
            .stdin(Stdio::from(OwnedFd::from(listener)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Each connection has a process of its own, and they end together.
            .process_group(0)
            .spawn();
        match process {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("websockify is not installed: run `apt install websockify` or `pip install websockify`")
            }
            process => Ok(process?),
        }
    }

    /// Adds to a Postgres URL where websockify is: the one thing that pgferry has to be told.
    fn ferry(&self, url: &str) -> String {
        format!("{url}?ws_url=ws://{}", self.address)
    }

    fn kill(&mut self) -> Result<()> {
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        kill_process_group(group, Signal::KILL)?;
        self.process.wait()?;
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.process = Self::serve(TcpListener::bind(self.address)?, self.target)?;
        Ok(())
    }
}

impl Drop for Websockify {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}

/// A server that asks for SCRAM, and websockify before it.
struct Scene {
    postgres: &'static Postgres,
    database: String,
    websockify: Websockify,
}

impl Scene {
    fn open() -> Result<Self> {
        let postgres = Postgres::shared()?;
        let database = postgres.create_database()?;
        Ok(Self { postgres, database, websockify: Websockify::start(postgres.port())? })
    }

    fn url(&self) -> String {
        self.websockify.ferry(&self.postgres.database_url(&self.database))
    }

    /// How many sessions of this database run the long statement.
    fn running(&self) -> Result<String> {
        let running = "select count(*) from pg_stat_activity where state = 'active' and query like '%pg_sleep(600)%' \
                       and datname = current_database() and pid <> pg_backend_pid()";
        Ok(self.postgres.psql_in(&self.database, running)?.trim().to_owned())
    }

    fn until_running(&self, count: &str) -> Result<()> {
        for _ in 0..600 {
            if self.running()? == count {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("{} sessions run the statement instead of {count}", self.running()?)
    }
}

#[tokio::test]
async fn sqlx_has_its_session() -> Result<()> {
    let scene = Scene::open()?;
    let pool: PgPool = pgferry_sqlx::pool(scene.url()).await?;
    sqlx::raw_sql("create table t (i int, note text); create temporary table mine (i int)").execute(&pool).await?;

    let mut transaction = pool.begin().await?;
    sqlx::query("insert into t values ($1, $2)").bind(1).bind("ü ⛴").execute(&mut *transaction).await?;
    transaction.commit().await?;
    let mut undone = pool.begin().await?;
    sqlx::query("insert into t values (2, null)").execute(&mut *undone).await?;
    undone.rollback().await?;
    let kept: Vec<(i32, Option<String>)> = sqlx::query_as("select i, note from t").fetch_all(&pool).await?;
    assert_eq!(kept, [(1, Some("ü ⛴".to_owned()))]);

    let failed = sqlx::query("select 1 / $1").bind(0).execute(&pool).await.err().context("no error")?;
    let code = failed.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
    assert_eq!(code.as_deref(), Some("22012"));

    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen("news").await?;
    sqlx::query("select pg_notify('news', 'hello')").execute(&pool).await?;
    assert_eq!(listener.recv().await?.payload(), "hello");
    Ok(())
}

#[tokio::test]
async fn sqlx_copies_in_and_out() -> Result<()> {
    const LINES: usize = 100_000;
    let scene = Scene::open()?;
    let pool: PgPool = pgferry_sqlx::pool(scene.url()).await?;
    sqlx::query("create table t (i int, note text)").execute(&pool).await?;
    let lines: String = (0..LINES).map(|i| format!("{i}\tline {i}\n")).collect();

    let mut copy = pool.copy_in_raw("copy t from stdin").await?;
    copy.send(lines.as_bytes()).await?;
    assert_eq!(copy.finish().await?, u64::try_from(LINES)?);
    let out: Vec<_> = pool.copy_out_raw("copy (select * from t order by i) to stdout").await?.try_collect().await?;
    assert!(out.concat() == lines.as_bytes());
    Ok(())
}

#[tokio::test]
async fn large_values_come_whole() -> Result<()> {
    let scene = Scene::open()?;
    let pool: PgPool = pgferry_sqlx::pool(scene.url()).await?;
    let large = "ferry ⛴ ".repeat(1_000_000);
    let (length, back): (i32, String) =
        sqlx::query_as("select octet_length($1), $1").bind(&large).fetch_one(&pool).await?;
    assert_eq!(usize::try_from(length)?, large.len());
    assert!(back == large);

    let mut sum = 0;
    let mut rows = sqlx::query_scalar::<_, i32>("select i from generate_series(1, 200000) i").fetch(&pool);
    while let Some(i) = rows.try_next().await? {
        sum += i64::from(i);
    }
    assert_eq!(sum, 20_000_100_000);
    Ok(())
}

/// Over a second WebSocket, as over a second connection.
// The test waits in a blocking way beside the query.
#[tokio::test(flavor = "multi_thread")]
async fn a_query_whose_connection_is_dropped_is_cancelled() -> Result<()> {
    let scene = Scene::open()?;
    let pool: PgPool = pgferry_sqlx::pool(scene.url()).await?;
    // A pool would wait for the query's end before it takes the connection back.
    let mut connection = pool.acquire().await?.detach();
    let query = tokio::spawn(async move { sqlx::query(LONG).execute(&mut connection).await });
    scene.until_running("1")?;
    query.abort();
    scene.until_running("0")
}

#[test]
fn diesel_has_its_session() -> Result<()> {
    diesel::table! {
        t (i) {
            i -> Integer,
            note -> Nullable<Text>,
        }
    }
    let scene = Scene::open()?;
    let mut connection = FerryConnection::establish(&scene.url())?;
    connection.batch_execute("create table t (i int primary key, note text)")?;
    connection.transaction(|connection| {
        diesel::insert_into(t::table).values((t::i.eq(1), t::note.eq("ü ⛴"))).execute(connection)
    })?;
    let undone: QueryResult<()> = connection.transaction(|connection| {
        diesel::insert_into(t::table).values(t::i.eq(2)).execute(connection)?;
        Err(diesel::result::Error::RollbackTransaction)
    });
    assert!(undone.is_err());
    let kept: Vec<(i32, Option<String>)> = t::table.load(&mut connection)?;
    assert_eq!(kept, [(1, Some("ü ⛴".to_owned()))]);

    let large = diesel::select(sql::<Text>("repeat('ferry ', 1000000)")).get_result::<String>(&mut connection)?;
    assert!(large == "ferry ".repeat(1_000_000));
    let many = diesel::select(sql::<Integer>("generate_series(1, 50000)")).load::<i32>(&mut connection)?;
    assert!(many.into_iter().eq(1..=50_000));
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_is_the_servers_to_refuse() -> Result<()> {
    let scene = Scene::open()?;
    let url = scene.websockify.ferry(&scene.postgres.url_for("app", "guessed", &scene.database));

    let error = pgferry_sqlx::pool(url.as_str()).await.err().context("sqlx was let in")?;
    ensure!(error.to_string().contains("password authentication failed for user \"app\""), "{error}");
    let diesel = thread::spawn(move || FerryConnection::establish(&url).err());
    let error = diesel.join().ok().flatten().context("diesel was let in")?;
    ensure!(error.to_string().contains("password authentication failed for user \"app\""), "{error}");
    Ok(())
}

// The test waits in a blocking way beside the query.
#[tokio::test(flavor = "multi_thread")]
async fn sqlx_survives_a_websockify_that_is_killed() -> Result<()> {
    let mut scene = Scene::open()?;
    let pool: PgPool = pgferry_sqlx::pool(scene.url()).await?;
    let query = tokio::spawn({
        let pool = pool.clone();
        async move { sqlx::query(LONG).execute(&pool).await }
    });
    scene.until_running("1")?;
    scene.websockify.kill()?;
    let error = query.await?.err().context("the query succeeded")?;
    let code = error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned());
    ensure!(code.as_deref() == Some("08007"), "{error:?}");
    ensure!(error.to_string().contains("may have run"), "{error}");

    let down = sqlx::query("select 1").execute(&pool).await;
    ensure!(down.is_err());
    scene.websockify.restart()?;
    assert_eq!(sqlx::query_scalar::<_, i32>("select 1").fetch_one(&pool).await?, 1);
    Ok(())
}

#[test]
fn diesel_learns_that_websockify_is_killed() -> Result<()> {
    let mut scene = Scene::open()?;
    let mut connection = FerryConnection::establish(&scene.url())?;
    let query = thread::spawn(move || diesel::sql_query(LONG).execute(&mut connection));
    scene.until_running("1")?;
    scene.websockify.kill()?;
    let error = query.join().ok().context("the query panicked")?.err().context("the query succeeded")?;
    ensure!(error.to_string().contains("may have run"), "{error}");

    ensure!(FerryConnection::establish(&scene.url()).is_err());
    scene.websockify.restart()?;
    let mut connection = FerryConnection::establish(&scene.url())?;
    assert_eq!(diesel::select(sql::<Integer>("1")).get_result::<i32>(&mut connection)?, 1);
    Ok(())
}
