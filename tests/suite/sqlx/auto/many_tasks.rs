use sqlx::Executor;
use tokio::task::JoinSet;

use super::Counted;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_shots_and_transactions_mix_in_many_tasks() {
    const TASKS: i32 = 16;
    const ROUNDS: i32 = 20;
    let counted = Counted::start();
    let pool = counted.pool_of(6).await;
    pool.execute("create table t (task int, round int, primary key (task, round))").await.unwrap();
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let pool = pool.clone();
        tasks.spawn(async move {
            for round in 0..ROUNDS {
                let insert = || sqlx::query("insert into t values ($1, $2)").bind(task).bind(round);
                match (task + round) % 4 {
                    0 => {
                        let mut transaction = pool.begin().await.unwrap();
                        insert().execute(&mut *transaction).await.unwrap();
                        transaction.commit().await.unwrap();
                    }
                    1 => {
                        let mut transaction = pool.begin().await.unwrap();
                        insert().execute(&mut *transaction).await.unwrap();
                        insert().execute(&mut *transaction).await.unwrap_err();
                        drop(transaction);
                        insert().execute(&pool).await.unwrap();
                    }
                    _ => {
                        insert().execute(&pool).await.unwrap();
                    }
                }
                let count: i64 = sqlx::query_scalar("select count(*) from t where task = $1")
                    .bind(task)
                    .fetch_one(&pool)
                    .await
                    .unwrap();
                assert_eq!(count, i64::from(round) + 1);
            }
        });
    }
    tasks.join_all().await;
    let count: i64 = sqlx::query_scalar("select count(*) from t").fetch_one(&pool).await.unwrap();
    assert_eq!(count, i64::from(TASKS * ROUNDS));
    assert!(counted.opened() <= 6, "{} WebSockets for 6 connections", counted.opened());
}
