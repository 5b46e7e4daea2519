use std::time::Duration;

use sqlx::{Acquire, Connection, Executor, PgPool, Row};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    transaction_commits,
    transaction_rolls_back,
    transaction_dropped_is_rolled_back,
    transaction_nested_commits,
    transaction_nested_rolls_back,
    transaction_nested_dropped,
    transaction_three_levels,
    transaction_with_an_error_inside,
    transaction_recovers_at_a_savepoint,
    transaction_begun_with_a_statement,
    transaction_begun_with_no_begin,
    transaction_isolation_is_set,
    transaction_that_cannot_be_serialized,
    transaction_read_only,
    transaction_by_statements,
    transaction_by_a_script,
    transaction_chained,
    transaction_committed_after_an_error,
    transaction_fails_at_its_commit,
    transaction_of_a_closure,
    transaction_sees_its_own_writes,
    transaction_with_a_dropped_stream,
    transaction_dropped_in_a_failed_state,
    transaction_try_begin,
    transaction_warnings_are_harmless,
    transaction_ids_last_as_long_as_it_does,
    lock_is_waited_for_no_longer_than_allowed,
    lock_of_a_table_and_of_rows,
    two_phase_commit,
    deferred_constraints,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions() {
    super::compare(CASES).await;
}

const NUMBERS: &str = "create table numbers (i int primary key)";

async fn kept(pool: &PgPool) -> sqlx::Result<Vec<i32>> {
    sqlx::query_scalar("select i from numbers order by i").fetch_all(pool).await
}

async fn insert<'e>(executor: impl sqlx::PgExecutor<'e>, number: i32) -> sqlx::Result<()> {
    sqlx::query("insert into numbers values ($1)").bind(number).execute(executor).await.map(drop)
}

async fn transaction_commits(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    insert(&mut *transaction, 1).await?;
    insert(&mut *transaction, 2).await?;
    let inside: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(format!("{inside} {:?}", kept(&pool).await?))
}

async fn transaction_rolls_back(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    insert(&mut *transaction, 1).await?;
    transaction.rollback().await?;
    Ok(format!("{:?}", kept(&pool).await?))
}

async fn transaction_dropped_is_rolled_back(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    {
        let mut transaction = pool.begin().await?;
        insert(&mut *transaction, 1).await?;
    }
    insert(&pool, 2).await?;
    drop(pool.begin().await?);
    Ok(format!("{:?}", kept(&pool).await?))
}

async fn transaction_nested_commits(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut outer = pool.begin().await?;
    insert(&mut *outer, 1).await?;
    let mut inner = outer.begin().await?;
    insert(&mut *inner, 2).await?;
    inner.commit().await?;
    outer.commit().await?;
    Ok(format!("{:?}", kept(&pool).await?))
}

async fn transaction_nested_rolls_back(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut outer = pool.begin().await?;
    insert(&mut *outer, 1).await?;
    let mut inner = outer.begin().await?;
    insert(&mut *inner, 2).await?;
    inner.rollback().await?;
    insert(&mut *outer, 3).await?;
    outer.commit().await?;
    Ok(format!("{:?}", kept(&pool).await?))
}

async fn transaction_nested_dropped(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut outer = pool.begin().await?;
    {
        let mut inner = outer.begin().await?;
        insert(&mut *inner, 2).await?;
    }
    insert(&mut *outer, 3).await?;
    outer.commit().await?;
    Ok(format!("{:?}", kept(&pool).await?))
}

async fn transaction_three_levels(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut one = pool.begin().await?;
    insert(&mut *one, 1).await?;
    let mut two = one.begin().await?;
    insert(&mut *two, 2).await?;
    let mut three = two.begin().await?;
    insert(&mut *three, 3).await?;
    three.commit().await?;
    two.rollback().await?;
    let mut again = one.begin().await?;
    insert(&mut *again, 4).await?;
    again.commit().await?;
    one.commit().await?;
    Ok(format!("{:?}", kept(&pool).await?))
}

async fn transaction_with_an_error_inside(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    insert(&mut *transaction, 1).await?;
    let twice = insert(&mut *transaction, 1).await;
    let aborted = insert(&mut *transaction, 2).await;
    let cached = sqlx::query("select 1").execute(&mut *transaction).await.map(drop);
    transaction.rollback().await?;
    insert(&pool, 5).await?;
    Ok(format!(
        "{}\n{}\n{}\n{:?}",
        seen::outcome(&twice),
        seen::outcome(&aborted),
        seen::outcome(&cached),
        kept(&pool).await?
    ))
}

async fn transaction_recovers_at_a_savepoint(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    insert(&mut *transaction, 1).await?;
    let mut inner = transaction.begin().await?;
    let twice = insert(&mut *inner, 1).await;
    inner.rollback().await?;
    insert(&mut *transaction, 2).await?;
    transaction.execute("savepoint mine").await?;
    let wrong = sqlx::query("select nonsense").execute(&mut *transaction).await.map(drop);
    transaction.execute("rollback to savepoint mine").await?;
    insert(&mut *transaction, 3).await?;
    transaction.commit().await?;
    Ok(format!("{}\n{}\n{:?}", seen::outcome(&twice), seen::outcome(&wrong), kept(&pool).await?))
}

async fn transaction_begun_with_a_statement(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin_with("begin isolation level repeatable read read only").await?;
    let level: String =
        sqlx::query_scalar("select current_setting('transaction_isolation')").fetch_one(&mut *transaction).await?;
    let refused = insert(&mut *transaction, 1).await;
    transaction.rollback().await?;
    let after: String = sqlx::query_scalar("select current_setting('transaction_isolation')").fetch_one(&pool).await?;
    Ok(format!("{level} {} {after}", seen::outcome(&refused)))
}

async fn transaction_begun_with_no_begin(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let begun = pool.begin_with("select 1").await.map(drop);
    let after: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{} {after}", seen::outcome(&begun)))
}

async fn transaction_isolation_is_set(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut seen = String::new();
    for level in [
        "set transaction isolation level serializable",
        "set transaction read only, deferrable",
        "set session characteristics as transaction isolation level repeatable read",
    ] {
        let mut transaction = pool.begin().await?;
        transaction.execute(level).await?;
        let row = sqlx::query("select current_setting('transaction_isolation'), current_setting('transaction_read_only'), current_setting('transaction_deferrable')")
            .fetch_one(&mut *transaction)
            .await?;
        seen += &seen::row(&row);
        transaction.commit().await?;
    }
    let later: String = sqlx::query_scalar("show transaction_isolation").fetch_one(&pool).await?;
    Ok(format!("{seen} {later}"))
}

async fn transaction_that_cannot_be_serialized(ground: Ground) -> Seen {
    ground.prepare("create table balance (amount int); insert into balance values (1)").await;
    let pool = ground.pool().await?;
    let mut one = pool.begin_with("begin isolation level repeatable read").await?;
    let read: i32 = sqlx::query_scalar("select amount from balance").fetch_one(&mut *one).await?;
    sqlx::query("update balance set amount = amount + 10").execute(&pool).await?;
    let again: i32 = sqlx::query_scalar("select amount from balance").fetch_one(&mut *one).await?;
    let lost = sqlx::query("update balance set amount = $1").bind(read + 1).execute(&mut *one).await.map(drop);
    one.rollback().await?;
    let amount: i32 = sqlx::query_scalar("select amount from balance").fetch_one(&pool).await?;
    Ok(format!("{read} {again} {} {amount}", seen::outcome(&lost)))
}

async fn transaction_read_only(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("set transaction read only").execute(&mut *transaction).await?;
    let refused = insert(&mut *transaction, 1).await;
    transaction.rollback().await?;
    insert(&pool, 2).await?;
    Ok(format!("{} {:?}", seen::outcome(&refused), kept(&pool).await?))
}

async fn transaction_by_statements(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let mut connection = ground.connection().await?;
    for text in [
        "begin",
        "insert into numbers values (1)",
        "savepoint a",
        "insert into numbers values (2)",
        "rollback to a",
        "release a",
        "commit",
    ] {
        sqlx::query(text).execute(&mut connection).await?;
    }
    for text in ["start transaction", "insert into numbers values (3)", "abort"] {
        connection.execute(text).await?;
    }
    let rows = sqlx::query("select * from numbers").fetch_all(&mut connection).await?;
    Ok(seen::rows(&rows))
}

async fn transaction_by_a_script(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    sqlx::raw_sql("begin; insert into numbers values (1); commit; begin; insert into numbers values (2); rollback")
        .execute(&pool)
        .await?;
    let failed =
        sqlx::raw_sql("begin; insert into numbers values (3); commit; insert into numbers values (4); select 1/0")
            .execute(&pool)
            .await
            .map(drop);
    Ok(format!("{} {:?}", seen::outcome(&failed), kept(&pool).await?))
}

async fn transaction_chained(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let mut connection = ground.connection().await?;
    for text in [
        "begin",
        "insert into numbers values (1)",
        "commit and chain",
        "insert into numbers values (2)",
        "rollback and chain",
        "insert into numbers values (3)",
        "commit",
    ] {
        connection.execute(text).await?;
    }
    let rows = sqlx::query("select * from numbers order by i").fetch_all(&mut connection).await?;
    Ok(seen::rows(&rows))
}

/// The server answers such a COMMIT with ROLLBACK.
async fn transaction_committed_after_an_error(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    insert(&mut *transaction, 1).await?;
    let wrong = sqlx::query("select 1/0").execute(&mut *transaction).await.map(drop);
    let committed = transaction.commit().await;
    Ok(format!("{} {} {:?}", seen::outcome(&wrong), seen::outcome(&committed), kept(&pool).await?))
}

const DEFERRED: &str = "create table parents (id int primary key);
    create table children (id int primary key, parent int constraint has_parent references parents deferrable initially deferred)";

async fn transaction_fails_at_its_commit(ground: Ground) -> Seen {
    ground.prepare(DEFERRED).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("insert into children values ($1, $2)").bind(1).bind(9).execute(&mut *transaction).await?;
    let committed = transaction.commit().await;
    let alone = sqlx::query("insert into children values ($1, $2)").bind(2).bind(8).execute(&pool).await.map(drop);
    let count: i64 = sqlx::query_scalar("select count(*) from children").fetch_one(&pool).await?;
    Ok(format!("{} {} {count}", seen::outcome(&committed), seen::outcome(&alone)))
}

async fn deferred_constraints(ground: Ground) -> Seen {
    ground.prepare(DEFERRED).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    sqlx::query("insert into children values (1, 1)").execute(&mut *transaction).await?;
    sqlx::query("insert into parents values (1)").execute(&mut *transaction).await?;
    transaction.execute("set constraints all immediate").await?;
    let at_once = sqlx::query("insert into children values (2, 2)").execute(&mut *transaction).await.map(drop);
    transaction.rollback().await?;
    Ok(seen::outcome(&at_once))
}

async fn transaction_of_a_closure(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let mut connection = ground.connection().await?;
    let kept: i64 = connection
        .transaction(|transaction| {
            Box::pin(async move {
                insert(&mut **transaction, 1).await?;
                sqlx::query_scalar("select count(*) from numbers").fetch_one(&mut **transaction).await
            })
        })
        .await?;
    let failed: sqlx::Result<()> = connection
        .transaction(|transaction| {
            Box::pin(async move {
                insert(&mut **transaction, 2).await?;
                Err(sqlx::Error::RowNotFound)
            })
        })
        .await;
    let count: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&mut connection).await?;
    Ok(format!("{kept} {} {count}", seen::outcome(&failed)))
}

async fn transaction_sees_its_own_writes(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.pool().await?;
    let mut transaction = pool.begin().await?;
    insert(&mut *transaction, 1).await?;
    let inside: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&mut *transaction).await?;
    let outside: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&pool).await?;
    transaction.commit().await?;
    let after: i64 = sqlx::query_scalar("select count(*) from numbers").fetch_one(&pool).await?;
    Ok(format!("{inside} {outside} {after}"))
}

async fn transaction_with_a_dropped_stream(ground: Ground) -> Seen {
    use futures_util::TryStreamExt;
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    insert(&mut *transaction, 1).await?;
    {
        let mut rows = sqlx::query("select i from generate_series(1, 5000) as i").fetch(&mut *transaction);
        rows.try_next().await?;
    }
    insert(&mut *transaction, 2).await?;
    {
        let mut rows = sqlx::query("select i from generate_series(1, 5000) as i").fetch(&mut *transaction);
        rows.try_next().await?;
    }
    transaction.commit().await?;
    Ok(format!("{:?}", kept(&pool).await?))
}

async fn transaction_dropped_in_a_failed_state(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let pool = ground.single().await?;
    {
        let mut transaction = pool.begin().await?;
        insert(&mut *transaction, 1).await?;
        sqlx::query("select 1/0").execute(&mut *transaction).await.unwrap_err();
    }
    insert(&pool, 2).await?;
    Ok(format!("{:?}", kept(&pool).await?))
}

async fn transaction_try_begin(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let first = pool.try_begin().await?;
    let second = pool.try_begin().await?;
    let got = (first.is_some(), second.is_some());
    drop((first, second));
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&pool).await?;
    Ok(format!("{got:?} {one}"))
}

async fn transaction_warnings_are_harmless(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    // Outside of a transaction each is a warning.
    for text in ["commit", "rollback", "begin", "begin", "commit"] {
        sqlx::query(text).execute(&mut connection).await?;
    }
    let nested = Connection::begin(&mut connection).await;
    Ok(format!("{}", nested.is_ok()))
}

async fn transaction_ids_last_as_long_as_it_does(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    let one: i64 = sqlx::query_scalar("select txid_current()").fetch_one(&mut *transaction).await?;
    let two: i64 = sqlx::query_scalar("select txid_current()").fetch_one(&mut *transaction).await?;
    let now =
        sqlx::query("select now() = (select now()), clock_timestamp() > now()").fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    let three: i64 = sqlx::query_scalar("select txid_current()").fetch_one(&pool).await?;
    Ok(format!("{} {} {}", one == two, two == three, seen::row(&now)))
}

async fn lock_is_waited_for_no_longer_than_allowed(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int primary key); insert into numbers values (1)").await;
    let mut control = ground.control().await;
    let mut holder = Connection::begin(&mut control).await.unwrap();
    holder.execute("lock table numbers").await.unwrap();
    let pool = ground.single().await?;
    let mut transaction = pool.begin().await?;
    transaction.execute("set local lock_timeout = '30ms'").await?;
    let late = insert(&mut *transaction, 2).await;
    transaction.rollback().await?;
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    transaction.execute("set local lock_timeout = '30ms'").await?;
    let nowait = sqlx::query("select i from numbers for update nowait")
        .fetch_all(&mut *transaction)
        .await
        .map(|rows| rows.len());
    transaction.rollback().await?;
    holder.rollback().await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(format!("{}\n{}", seen::outcome(&late), seen::outcome(&nowait)))
}

async fn lock_of_a_table_and_of_rows(ground: Ground) -> Seen {
    ground.prepare("create table numbers (i int primary key); insert into numbers values (1), (2)").await;
    let pool = ground.pool().await?;
    let outside = sqlx::query("lock table numbers").execute(&pool).await.map(drop);
    let mut transaction = pool.begin().await?;
    transaction.execute("lock table numbers in share row exclusive mode").await?;
    let held =
        sqlx::query("select i from numbers where i = $1 for update").bind(1).fetch_all(&mut *transaction).await?;
    let other: Vec<i32> = sqlx::query_scalar("select i from numbers order by i for key share skip locked")
        .fetch_all(&mut ground.control().await)
        .await?;
    transaction.commit().await?;
    Ok(format!("{} {} {other:?}", seen::outcome(&outside), seen::rows(&held)))
}

async fn two_phase_commit(ground: Ground) -> Seen {
    ground.prepare(NUMBERS).await;
    let mut connection = ground.connection().await?;
    connection.execute("begin").await?;
    insert(&mut connection, 1).await?;
    // Refused unless the server allows prepared transactions, which it does not by default.
    let prepared = sqlx::query("prepare transaction 'mine'").execute(&mut connection).await.map(drop);
    let after = sqlx::query("select count(*) from numbers").fetch_one(&mut connection).await?;
    Ok(format!("{} {:?}", seen::outcome(&prepared), after.try_get::<i64, _>(0)))
}
