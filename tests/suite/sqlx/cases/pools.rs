use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use sqlx::{Connection, Executor, PgPool, postgres::PgPoolOptions};

use super::{
    case::{Case, Seen, cases},
    ground::Ground,
    seen,
};

pub(super) const CASES: &[Case] = cases![
    pool_acquires_and_releases,
    pool_tries_to_acquire,
    pool_times_out_when_it_is_exhausted,
    pool_closes,
    pool_calls_its_hooks,
    pool_refuses_before_acquire,
    pool_gives_up_after_release,
    pool_tests_before_acquire,
    pool_does_not_test_before_acquire,
    pool_replaces_what_was_terminated,
    pool_keeps_a_minimum,
    pool_ends_old_connections,
    pool_detaches_and_leaks,
    pool_connects_lazily,
    pool_hands_on_what_a_dropped_future_left,
    pool_of_many_tasks,
    pool_close_waits_for_its_connections,
    pool_options_are_shared,
    connection_closes,
    connection_closes_hard,
    connection_after_a_failed_log_in,
    connection_is_shrunk,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pools() {
    super::compare(CASES).await;
}

async fn one(pool: &PgPool) -> sqlx::Result<i32> {
    sqlx::query_scalar("select 1").fetch_one(pool).await
}

async fn pool_acquires_and_releases(ground: Ground) -> Seen {
    let pool = ground.pool_with(PgPoolOptions::new().max_connections(2)).await?;
    let mut first = pool.acquire().await?;
    let mut second = pool.acquire().await?;
    first.execute("select 1").await?;
    second.execute("select 2").await?;
    let out = (pool.size(), pool.num_idle());
    drop(first);
    second.return_to_pool().await;
    one(&pool).await?;
    Ok(format!("{out:?} {}", pool.size()))
}

async fn pool_tries_to_acquire(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let first = pool.try_acquire();
    let second = pool.try_acquire();
    let got = (first.is_some(), second.is_some());
    drop(first);
    Ok(format!("{got:?} {}", one(&pool).await?))
}

async fn pool_times_out_when_it_is_exhausted(ground: Ground) -> Seen {
    let pool =
        ground.pool_with(PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5))).await?;
    let mut held = pool.acquire().await?;
    held.execute("select 1").await?;
    let late = tokio::time::timeout(Duration::from_millis(80), pool.acquire()).await.is_err();
    drop(held);
    Ok(format!("{late} {}", one(&pool).await?))
}

async fn pool_closes(ground: Ground) -> Seen {
    let pool = ground.pool().await?;
    one(&pool).await?;
    pool.close().await;
    let refused = one(&pool).await;
    Ok(format!("{} {} {}", pool.is_closed(), pool.size(), seen::outcome(&refused)))
}

async fn pool_calls_its_hooks(ground: Ground) -> Seen {
    let calls = Arc::new([const { AtomicU32::new(0) }; 3]);
    let counter = |index: usize| {
        let calls = calls.clone();
        move || calls[index].fetch_add(1, Ordering::Relaxed)
    };
    let (connected, acquired, released) = (counter(0), counter(1), counter(2));
    let options = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(move |connection, _| {
            connected();
            Box::pin(async move { connection.execute("select 'connected'").await.map(drop) })
        })
        .before_acquire(move |connection, _| {
            acquired();
            Box::pin(async move { sqlx::query("select $1").bind(1).execute(connection).await.map(|_| true) })
        })
        .after_release(move |connection, _| {
            released();
            Box::pin(async move { connection.execute("select 'released'").await.map(|_| true) })
        });
    let pool = ground.pool_with(options).await?;
    for _ in 0..3 {
        one(&pool).await?;
    }
    pool.close().await;
    // The release goes on behind the last statement, so only what came before is counted.
    Ok(format!("{} {}", calls[0].load(Ordering::Relaxed), calls[1].load(Ordering::Relaxed)))
}

async fn pool_refuses_before_acquire(ground: Ground) -> Seen {
    let connects = Arc::new(AtomicU32::new(0));
    let counted = connects.clone();
    let options = PgPoolOptions::new()
        .max_connections(1)
        .after_connect(move |_, _| {
            counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Ok(()) })
        })
        .before_acquire(|_, _| Box::pin(async { Ok(false) }));
    let pool = ground.pool_with(options).await?;
    for _ in 0..3 {
        one(&pool).await?;
    }
    Ok(connects.load(Ordering::Relaxed).to_string())
}

async fn pool_gives_up_after_release(ground: Ground) -> Seen {
    let options = PgPoolOptions::new().max_connections(1).after_release(|_, _| Box::pin(async { Ok(false) }));
    let pool = ground.pool_with(options).await?;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(one(&pool).await?);
    }
    Ok(format!("{seen:?}"))
}

async fn terminate(ground: &Ground) {
    ground.prepare("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()").await;
}

async fn pool_tests_before_acquire(ground: Ground) -> Seen {
    let pool = ground.pool_with(PgPoolOptions::new().max_connections(1).test_before_acquire(true)).await?;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(one(&pool).await?);
        terminate(&ground).await;
        // A connection that is cut is noticed when the word of it arrives.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(format!("{seen:?}"))
}

async fn pool_does_not_test_before_acquire(ground: Ground) -> Seen {
    let pool = ground.pool_with(PgPoolOptions::new().max_connections(1).test_before_acquire(false)).await?;
    let seen = (one(&pool).await?, one(&pool).await?);
    Ok(format!("{seen:?}"))
}

async fn pool_replaces_what_was_terminated(ground: Ground) -> Seen {
    let pool = ground.pool_with(PgPoolOptions::new().max_connections(3)).await?;
    let held = [pool.acquire().await?, pool.acquire().await?, pool.acquire().await?];
    drop(held);
    terminate(&ground).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(one(&pool).await?);
    }
    Ok(format!("{seen:?}"))
}

async fn pool_keeps_a_minimum(ground: Ground) -> Seen {
    let pool = ground.pool_with(PgPoolOptions::new().min_connections(3).max_connections(5)).await?;
    for _ in 0..500 {
        if pool.size() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(format!("{} {}", pool.size(), one(&pool).await?))
}

async fn connects_counted(ground: &Ground, options: PgPoolOptions) -> sqlx::Result<(PgPool, Arc<AtomicU32>)> {
    let connects = Arc::new(AtomicU32::new(0));
    let counted = connects.clone();
    let options = options.max_connections(1).after_connect(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(()) })
    });
    Ok((ground.pool_with(options).await?, connects))
}

async fn pool_ends_old_connections(ground: Ground) -> Seen {
    let (pool, connects) =
        connects_counted(&ground, PgPoolOptions::new().max_lifetime(Duration::from_millis(1))).await?;
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        one(&pool).await?;
    }
    Ok((connects.load(Ordering::Relaxed) > 1).to_string())
}

async fn pool_detaches_and_leaks(ground: Ground) -> Seen {
    let pool = ground.pool_with(PgPoolOptions::new().max_connections(2)).await?;
    let mut detached = pool.acquire().await?.detach();
    let mut leaked = pool.acquire().await?.leak();
    let seen = (
        sqlx::query_scalar::<_, i32>("select 2").fetch_one(&mut detached).await?,
        sqlx::query_scalar::<_, i32>("select 3").fetch_one(&mut leaked).await?,
    );
    detached.close().await?;
    leaked.close().await?;
    Ok(format!("{seen:?} {}", one(&pool).await?))
}

async fn pool_connects_lazily(ground: Ground) -> Seen {
    let pool = PgPoolOptions::new().connect_lazy_with(ground.options());
    let before = pool.size();
    Ok(format!("{before} {} {}", one(&pool).await?, pool.size()))
}

async fn pool_hands_on_what_a_dropped_future_left(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    one(&pool).await?;
    let mut seen = Vec::new();
    for number in 0..5_i32 {
        let slow = sqlx::query_scalar::<_, i32>("select $1 from pg_sleep(0.05)").bind(100 + number).fetch_one(&pool);
        let _ = tokio::time::timeout(Duration::from_millis(10), slow).await;
        seen.push(sqlx::query_scalar::<_, i32>("select $1 + 0").bind(number).fetch_one(&pool).await?);
    }
    Ok(format!("{seen:?}"))
}

async fn pool_of_many_tasks(ground: Ground) -> Seen {
    ground.prepare("create table counts (i int primary key, n int); insert into counts select i, 0 from generate_series(0, 3) as i").await;
    let pool = ground.pool_with(PgPoolOptions::new().max_connections(4)).await?;
    let tasks: Vec<_> = (0..24)
        .map(|number| {
            let pool = pool.clone();
            tokio::spawn(async move {
                sqlx::query("update counts set n = n + 1 where i = $1").bind(number % 4).execute(&pool).await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap()?;
    }
    let counts: Vec<i32> = sqlx::query_scalar("select n from counts order by i").fetch_all(&pool).await?;
    Ok(format!("{counts:?}"))
}

async fn pool_close_waits_for_its_connections(ground: Ground) -> Seen {
    let pool = ground.single().await?;
    let mut held = pool.acquire().await?;
    let closing = tokio::spawn({
        let pool = pool.clone();
        async move { pool.close().await }
    });
    while !pool.is_closed() {
        tokio::task::yield_now().await;
    }
    let still: i32 = sqlx::query_scalar("select 5").fetch_one(&mut *held).await?;
    let waits = !closing.is_finished();
    drop(held);
    closing.await.unwrap();
    Ok(format!("{still} {waits} {}", pool.size()))
}

async fn pool_options_are_shared(ground: Ground) -> Seen {
    let first = ground.single().await?;
    let second = PgPool::connect_with((*first.connect_options()).clone()).await?;
    Ok(format!("{} {}", one(&first).await?, one(&second).await?))
}

async fn connection_closes(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("select 1").await?;
    Ok(seen::outcome(&connection.close().await))
}

async fn connection_closes_hard(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    connection.execute("select 1").await?;
    Ok(seen::outcome(&connection.close_hard().await))
}

async fn connection_after_a_failed_log_in(ground: Ground) -> Seen {
    let wrong = sqlx::PgConnection::connect_with(&ground.options().password("wrong")).await.err();
    let code = wrong
        .as_ref()
        .and_then(|error| error.as_database_error())
        .and_then(|error| error.code().map(|code| code.into_owned()));
    let mut connection = ground.connection().await?;
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await?;
    Ok(format!("{code:?} {one}"))
}

async fn connection_is_shrunk(ground: Ground) -> Seen {
    let mut connection = ground.connection().await?;
    let text: String = sqlx::query_scalar("select repeat('x', 300000)").fetch_one(&mut connection).await?;
    connection.shrink_buffers();
    let one: i32 = sqlx::query_scalar("select 1").fetch_one(&mut connection).await?;
    Ok(format!("{} {one}", text.len()))
}
