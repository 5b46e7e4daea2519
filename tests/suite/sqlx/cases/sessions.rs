use futures_util::TryStreamExt;
use sqlx::{
    Executor,
    postgres::{PgAdvisoryLock, PgListener, PgPoolCopyExt, PgPoolOptions},
};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    temporary_tables,
    temporary_tables_dropped_at_commit,
    cursor_declared_and_fetched,
    cursor_with_hold,
    cursor_moved_and_updated,
    statements_prepared_by_sql,
    sequence_currval_and_lastval,
    sequence_of_a_serial_column,
    advisory_lock_of_sqlx,
    advisory_lock_tried,
    advisory_lock_by_function,
    advisory_lock_of_a_transaction,
    backend_pid_stays,
    large_objects,
    copy_in_of_text,
    copy_in_of_csv,
    copy_in_of_pieces,
    copy_in_aborted,
    copy_in_dropped,
    copy_in_that_fails,
    copy_out_of_text,
    copy_out_of_a_query_as_csv,
    copy_out_dropped_midway,
    copy_in_a_transaction,
    copy_of_a_table_that_is_not_there,
    listener_hears,
    listener_of_many_channels,
    listener_unlistens,
    listener_hears_its_order,
    listener_hears_only_what_was_committed,
    listener_reconnects,
    listener_executes,
    listener_asked_without_waiting,
    notify_by_statement,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions() {
    super::compare(CASES).await;
}

async fn temporary_tables(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    sqlx::query("create temporary table kept (i int)").execute(&pool).await?;
    sqlx::query("insert into kept values ($1), ($2)").bind(1).bind(2).execute(&pool).await?;
    let sum: i64 = sqlx::query_scalar("select sum(i) from kept").fetch_one(&pool).await?;
    Ok(sum.to_string())
}

async fn temporary_tables_dropped_at_commit(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    transaction.execute("create temp table kept on commit drop as select 5 as i").await?;
    let inside: i32 = sqlx::query_scalar("select i from kept").fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    let after = sqlx::query("select i from kept").fetch_all(&pool).await.map(|rows| rows.len());
    Ok(format!("{inside} {}", seen::outcome(&after)))
}

async fn cursor_declared_and_fetched(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("declare mine cursor for select i, i * i as square from generate_series(1, 7) as i")
        .execute(&mut *transaction)
        .await?;
    let mut seen = String::new();
    loop {
        let rows = sqlx::query("fetch 3 from mine").fetch_all(&mut *transaction).await?;
        if rows.is_empty() {
            break;
        }
        seen += &seen::rows(&rows);
    }
    sqlx::query("close mine").execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(seen)
}

async fn cursor_with_hold(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("declare kept cursor with hold for select i from generate_series(1, 5) as i").await?;
    let rows = sqlx::query("fetch 2 from kept").fetch_all(&mut connection).await?;
    let more = sqlx::raw_sql("fetch all from kept").fetch_all(&mut connection).await?;
    connection.execute("close kept").await?;
    Ok(seen::rows(&rows) + &seen::rows(&more))
}

async fn cursor_moved_and_updated(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int); insert into numbers select generate_series(1, 5)").await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    transaction.execute("declare c scroll cursor for select i from numbers").await?;
    let moved = transaction.execute("move 2 in c").await?;
    let back = sqlx::query("fetch backward 1 from c").fetch_one(&mut *transaction).await?;
    transaction.execute("close c; declare u cursor for select i from numbers for update; fetch 1 from u").await?;
    sqlx::query("update numbers set i = 100 where current of u").execute(&mut *transaction).await?;
    transaction.commit().await?;
    let rows = sqlx::query("select i from numbers order by i").fetch_all(&pool).await?;
    Ok(format!("{} {} {}", moved.rows_affected(), seen::row(&back), seen::rows(&rows)))
}

async fn statements_prepared_by_sql(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("prepare twice (int) as select $1 * 2 as it").await?;
    let row = sqlx::query("execute twice(21)").fetch_one(&mut connection).await?;
    let raw = sqlx::raw_sql("execute twice(4)").fetch_one(&mut connection).await?;
    connection.execute("deallocate twice").await?;
    let gone = sqlx::query("execute twice(1)").fetch_one(&mut connection).await.map(|row| seen::row(&row));
    Ok(format!("{} {} {}", seen::row(&row), seen::row(&raw), seen::outcome(&gone)))
}

async fn sequence_currval_and_lastval(ground: Ground) -> Seen {
    ground.prepare("create sequence ids start 10").await;
    let mut connection = ground.connection().await?;
    let early = sqlx::query_scalar::<_, i64>("select currval('ids')").fetch_one(&mut connection).await;
    let next: i64 = sqlx::query_scalar("select nextval('ids')").fetch_one(&mut connection).await?;
    let current: i64 = sqlx::query_scalar("select currval('ids')").fetch_one(&mut connection).await?;
    let last: i64 = sqlx::query_scalar("select lastval()").fetch_one(&mut connection).await?;
    let set: i64 = sqlx::query_scalar("select setval('ids', 40)").fetch_one(&mut connection).await?;
    Ok(format!("{} {next} {current} {last} {set}", seen::outcome(&early)))
}

async fn sequence_of_a_serial_column(ground: Ground) -> Seen {
    ground
        .prepare("create table things (id serial primary key, big bigint generated always as identity, name text)")
        .await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for name in ["a", "b"] {
        let row = sqlx::query("insert into things (name) values ($1) returning *").bind(name).fetch_one(&pool).await?;
        seen += &seen::row(&row);
    }
    Ok(seen)
}

async fn advisory_lock_of_sqlx(ground: Ground) -> Seen {
    let lock = PgAdvisoryLock::new("only one of us");
    let mut one = ground.connection().await?;
    let mut guard = lock.acquire(&mut one).await?;
    let mut other = ground.connection().await?;
    let taken = lock.try_acquire(&mut other).await?.is_right();
    let usable: i32 = sqlx::query_scalar("select 1").fetch_one(guard.as_mut()).await?;
    guard.release_now().await?;
    let free = lock.try_acquire(&mut other).await?;
    let held = free.is_left();
    drop(free);
    let again = lock.try_acquire(&mut one).await.map(|lock| lock.is_left());
    // What a dropped guard queued is sent with the connection's next statement.
    other.execute("select 1").await?;
    Ok(format!("{taken} {usable} {held} {again:?}"))
}

async fn advisory_lock_tried(ground: Ground) -> Seen {
    let mut one = ground.connection().await?;
    let mut other = ground.connection().await?;
    let mut seen = String::new();
    for connection in [&mut one, &mut other] {
        let got: bool =
            sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(77_i64).fetch_one(connection).await?;
        seen += &format!("{got} ");
    }
    let freed: bool = sqlx::query_scalar("select pg_advisory_unlock(77)").fetch_one(&mut one).await?;
    let got: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(77_i64).fetch_one(&mut other).await?;
    Ok(format!("{seen} {freed} {got}"))
}

async fn advisory_lock_by_function(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    sqlx::query("select pg_advisory_lock(5), pg_advisory_lock_shared(6)").execute(&mut connection).await?;
    let held: i64 =
        sqlx::query_scalar("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
            .fetch_one(&mut connection)
            .await?;
    sqlx::query("select pg_advisory_unlock_all()").execute(&mut connection).await?;
    let left: i64 =
        sqlx::query_scalar("select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()")
            .fetch_one(&mut connection)
            .await?;
    Ok(format!("{held} {left}"))
}

async fn advisory_lock_of_a_transaction(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let alone: Vec<bool> = sqlx::query_scalar("select pg_try_advisory_xact_lock(9)").fetch_all(&pool).await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("select pg_advisory_xact_lock(9)").execute(&mut *transaction).await?;
    let other: bool =
        sqlx::query_scalar("select pg_try_advisory_xact_lock(9)").fetch_one(&mut ground.control().await).await?;
    transaction.commit().await?;
    Ok(format!("{alone:?} {other}"))
}

async fn backend_pid_stays(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("begin").await?;
    let mut pids = Vec::new();
    for text in ["select pg_backend_pid()", "select pg_backend_pid() + 0", "select 0 + pg_backend_pid()"] {
        pids.push(sqlx::query_scalar::<_, i32>(text).fetch_one(&mut connection).await?);
    }
    connection.execute("commit").await?;
    Ok(format!("{}", pids.windows(2).all(|pair| pair[0] == pair[1])))
}

async fn large_objects(ground: Ground) -> Seen {
    use sqlx::postgres::types::Oid;
    let pool = ground.single().await?;
    let oid: Oid =
        sqlx::query_scalar("select lo_from_bytea(0, $1)").bind(&b"large \0 object"[..]).fetch_one(&pool).await?;
    let whole: Vec<u8> = sqlx::query_scalar("select lo_get($1)").bind(oid).fetch_one(&pool).await?;
    let mut transaction = pool.begin().await?;
    let descriptor: i32 =
        sqlx::query_scalar("select lo_open($1, 131072)").bind(oid).fetch_one(&mut *transaction).await?;
    let part: Vec<u8> =
        sqlx::query_scalar("select loread($1, 5)").bind(descriptor).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    sqlx::query("select lo_unlink($1)").bind(oid).execute(&pool).await?;
    Ok(format!("{} {}", String::from_utf8_lossy(&whole), String::from_utf8_lossy(&part)))
}

const PAIRS: &str = "create table pairs (a int primary key, b text)";

async fn copy_in_of_text(ground: Ground) -> Seen {
    ground.prepare(PAIRS).await;
    let pool = ground.single().await?;
    let mut copy = pool.copy_in_raw("copy pairs from stdin").await?;
    copy.send("1\tone\n2\t\\N\n3\té\\t\n".as_bytes()).await?;
    let copied = copy.finish().await?;
    let rows = sqlx::query("select * from pairs order by a").fetch_all(&pool).await?;
    Ok(format!("{copied} {}", seen::rows(&rows)))
}

async fn copy_in_of_csv(ground: Ground) -> Seen {
    ground.prepare(PAIRS).await;
    let mut connection = ground.connection().await?;
    let mut copy = connection.copy_in_raw("copy pairs (b, a) from stdin with (format csv, header true)").await?;
    let (columns, textual) = (copy.num_columns(), copy.is_textual());
    copy.send(&b"b,a\n\"x, \"\"y\"\"\",1\nz,2\n"[..]).await?;
    let copied = copy.finish().await?;
    let rows = sqlx::query("select * from pairs order by a").fetch_all(&mut connection).await?;
    Ok(format!("{columns} {textual} {copied} {}", seen::rows(&rows)))
}

async fn copy_in_of_pieces(ground: Ground) -> Seen {
    ground.prepare(PAIRS).await;
    let pool = ground.single().await?;
    let mut copy = pool.copy_in_raw("copy pairs from stdin").await?;
    for first in (0..30_000).step_by(1000) {
        let lines: String = (first..first + 1000).map(|number| format!("{number}\trow {number}\n")).collect();
        let (head, tail) = lines.as_bytes().split_at(lines.len() / 3);
        copy.send(head).await?;
        copy.send(tail).await?;
    }
    copy.read_from(&b"99999\tlast\n"[..]).await?;
    let copied = copy.finish().await?;
    let row = sqlx::query("select count(*), sum(a), max(length(b)) from pairs").fetch_one(&pool).await?;
    Ok(format!("{copied} {}", seen::row(&row)))
}

async fn copy_in_aborted(ground: Ground) -> Seen {
    ground.prepare(PAIRS).await;
    let pool = ground.single().await?;
    let mut copy = pool.copy_in_raw("copy pairs from stdin").await?;
    copy.send(&b"1\tone\n"[..]).await?;
    let aborted = copy.abort("changed my mind").await;
    let count: i64 = sqlx::query_scalar("select count(*) from pairs").fetch_one(&pool).await?;
    Ok(format!("{} {count}", seen::outcome(&aborted)))
}

async fn copy_in_dropped(ground: Ground) -> Seen {
    ground.prepare(PAIRS).await;
    let pool = ground.single().await?;
    {
        let mut copy = pool.copy_in_raw("copy pairs from stdin").await?;
        copy.send(&b"1\tone\n"[..]).await?;
    }
    let count: i64 = sqlx::query_scalar("select count(*) from pairs").fetch_one(&pool).await?;
    Ok(count.to_string())
}

async fn copy_in_that_fails(ground: Ground) -> Seen {
    ground.prepare(PAIRS).await;
    let pool = ground.single().await?;
    let mut seen = String::new();
    for data in ["1\tone\n1\tagain\n", "x\tno number\n", "1\n", "2\ttwo\n"] {
        let mut copy = pool.copy_in_raw("copy pairs from stdin").await?;
        copy.send(data.as_bytes()).await?;
        seen += &format!("{}\n", seen::outcome(&copy.finish().await));
    }
    let count: i64 = sqlx::query_scalar("select count(*) from pairs").fetch_one(&pool).await?;
    Ok(format!("{seen} {count}"))
}

async fn copied_out(pool: &sqlx::PgPool, statement: &str) -> sqlx::Result<Vec<u8>> {
    let mut stream = pool.copy_out_raw(statement).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = stream.try_next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

async fn copy_out_of_text(ground: Ground) -> Seen {
    ground.prepare("create table pairs (a int, b text); insert into pairs values (1, E'x\\ty'), (2, null)").await;
    let pool = ground.single().await?;
    let bytes = copied_out(&pool, "copy pairs to stdout").await?;
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{:?} {after}", String::from_utf8_lossy(&bytes)))
}

async fn copy_out_of_a_query_as_csv(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let csv = copied_out(
        &pool,
        "copy (select i, repeat('x', i) from generate_series(1, 5) as i) to stdout (format csv, header)",
    )
    .await?;
    let binary = copied_out(&pool, "copy (select 7::int8) to stdout (format binary)").await?;
    let many = copied_out(&pool, "copy (select i from generate_series(1, 100000) as i) to stdout").await?;
    Ok(format!("{:?} {binary:?} {}", String::from_utf8_lossy(&csv), many.len()))
}

async fn copy_out_dropped_midway(ground: Ground) -> Seen {
    let pool = ground.pool_with(PgPoolOptions::new().max_connections(2)).await?;
    {
        let mut stream = pool.copy_out_raw("copy (select i from generate_series(1, 50000) as i) to stdout").await?;
        stream.try_next().await?;
    }
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(after.to_string())
}

async fn copy_in_a_transaction(ground: Ground) -> Seen {
    ground.prepare(PAIRS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    let mut copy = transaction.copy_in_raw("copy pairs from stdin").await?;
    copy.send(&b"1\tone\n2\ttwo\n"[..]).await?;
    copy.finish().await?;
    let inside: i64 = sqlx::query_scalar("select count(*) from pairs").fetch_one(&mut *transaction).await?;
    transaction.rollback().await?;
    let after: i64 = sqlx::query_scalar("select count(*) from pairs").fetch_one(&pool).await?;
    Ok(format!("{inside} {after}"))
}

async fn copy_of_a_table_that_is_not_there(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let failure = connection.copy_in_raw("copy nowhere from stdin").await.map(drop);
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await?;
    failure?;
    Ok(after.to_string())
}

async fn listener(ground: &Ground, channels: &[&str]) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(&ground.pool().await?).await?;
    listener.listen_all(channels.iter().copied()).await?;
    Ok(listener)
}

async fn heard(listener: &mut PgListener) -> Seen {
    let notification = listener.recv().await?;
    Ok(format!("{}: {:?}; ", notification.channel(), notification.payload()))
}

async fn listener_hears(ground: Ground) -> Seen {
    let mut listener = listener(&ground, &["news"]).await?;
    ground
        .prepare("select pg_notify('news', 'é, first'); notify news; notify other, 'not for me'; notify news, 'last'")
        .await;
    let mut seen = String::new();
    for _ in 0..3 {
        seen += &heard(&mut listener).await?;
    }
    Ok(seen)
}

async fn listener_of_many_channels(ground: Ground) -> Seen {
    let mut listener = listener(&ground, &["a", "b", "C d", "\"e\""]).await?;
    ground.prepare("notify a, '1'; notify \"C d\", '2'; notify b, '3'; notify \"\"\"e\"\"\", '4'").await;
    let mut seen = String::new();
    for _ in 0..4 {
        seen += &heard(&mut listener).await?;
    }
    Ok(seen)
}

async fn listener_unlistens(ground: Ground) -> Seen {
    let mut listener = listener(&ground, &["a", "b", "c"]).await?;
    listener.unlisten("a").await?;
    ground.prepare("notify a, 'no'; notify b, 'yes'").await;
    let mut seen = heard(&mut listener).await?;
    listener.unlisten_all().await?;
    ground.prepare("notify b, 'no'").await;
    listener.listen("d").await?;
    ground.prepare("notify d, 'again'").await;
    seen += &heard(&mut listener).await?;
    Ok(seen)
}

async fn listener_hears_its_order(ground: Ground) -> Seen {
    let mut listener = listener(&ground, &["numbers"]).await?;
    ground.prepare("select pg_notify('numbers', i::text) from generate_series(1, 200) as i").await;
    let mut in_order = true;
    for number in 1..=200 {
        in_order &= listener.recv().await?.payload() == number.to_string();
    }
    Ok(in_order.to_string())
}

async fn listener_hears_only_what_was_committed(ground: Ground) -> Seen {
    let mut listener = listener(&ground, &["news"]).await?;
    ground.prepare("begin; notify news, 'undone'; rollback; begin; notify news, 'once'; notify news, 'once'; commit; notify news, 'end'").await;
    let mut seen = String::new();
    for _ in 0..2 {
        seen += &heard(&mut listener).await?;
    }
    Ok(seen)
}

async fn listener_reconnects(ground: Ground) -> Seen {
    let mut listener = listener(&ground, &["news"]).await?;
    ground
        .prepare("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%' and pid <> pg_backend_pid()")
        .await;
    let lost = listener.try_recv().await?.is_none();
    ground.prepare("notify news, 'after'").await;
    Ok(format!("{lost} {}", heard(&mut listener).await?))
}

async fn listener_executes(ground: Ground) -> Seen {
    let mut listener = listener(&ground, &["news"]).await?;
    let mut seen = String::new();
    for number in 0..3_i32 {
        sqlx::query("select pg_notify('news', $1)").bind(number.to_string()).execute(&mut listener).await?;
        let row = sqlx::query("select $1 + 1 as next").bind(number).fetch_one(&mut listener).await?;
        seen += &seen::row(&row);
        seen += &heard(&mut listener).await?;
    }
    Ok(seen)
}

async fn listener_asked_without_waiting(ground: Ground) -> Seen {
    let mut listener = listener(&ground, &["news"]).await?;
    let nothing = listener.next_buffered().is_none();
    sqlx::query("select pg_notify('news', 'mine')").execute(&mut listener).await?;
    let first = listener.recv().await?.payload().to_owned();
    let mut stream = listener.into_stream();
    ground.prepare("notify news, 'streamed'").await;
    let second = stream.try_next().await?.map(|notification| notification.payload().to_owned());
    Ok(format!("{nothing} {first} {second:?}"))
}

async fn notify_by_statement(ground: Ground) -> Seen {
    let mut control = PgListener::connect_with(&sqlx::PgPool::connect_with(ground.past()).await?).await?;
    control.listen("news").await?;
    let pool = ground.single().await?;
    sqlx::query("notify news, 'one'").execute(&pool).await?;
    sqlx::query("select pg_notify('news', $1)").bind("two").execute(&pool).await?;
    pool.execute("notify news, 'three'; notify news, 'four'").await?;
    let mut seen = String::new();
    for _ in 0..4 {
        seen += control.recv().await?.payload();
    }
    Ok(seen)
}
