//! Many runtimes share one configuration, whichever of them ends first.

use std::sync::LazyLock;

use pgferry_sqlx::{Config, PgPoolOptionsExt, Transport};
use pgferry_test_support::Stage;
use sqlx::postgres::PgPoolOptions;

static STAGE: LazyLock<Stage> = LazyLock::new(Stage::start);
static CONFIG: LazyLock<Config> = LazyLock::new(|| STAGE.config());

/// Uses a pool of its own as a test does, with more statements at a time than connections.
async fn use_a_pool(number: i32) {
    let transport = if number % 2 == 0 { Transport::Http } else { Transport::WebSocket };
    let config = CONFIG.clone().transport(transport);
    let pool = PgPoolOptions::new().max_connections(3).connect_over(&config).await.unwrap();
    let statements = (0..9).map(|i| {
        let pool = pool.clone();
        tokio::spawn(async move {
            sqlx::query_scalar::<_, i32>("select $1 + $2").bind(number).bind(i).fetch_one(&pool).await
        })
    });
    for (i, statement) in (0..).zip(statements.collect::<Vec<_>>()) {
        assert_eq!(statement.await.unwrap().unwrap(), number + i);
    }
    // Every third leaves its pool open when its runtime ends.
    if number % 3 != 0 {
        pool.close().await;
    }
}

macro_rules! twelve_tests {
    ($($name:ident $number:literal),+) => {
        $(#[tokio::test]
        async fn $name() {
            use_a_pool($number).await;
        })+
    };
}

twelve_tests!(one 1, two 2, three 3, four 4, five 5, six 6, seven 7, eight 8, nine 9, ten 10, eleven 11, twelve 12);

/// The same in one process for test runners that give each test a process of its own.
#[test]
fn runtimes_end_while_others_go_on() {
    std::thread::scope(|scope| {
        for number in 1..=12 {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(use_a_pool(number));
            });
        }
    });
}
