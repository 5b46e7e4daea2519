use diesel::{prelude::*, result::Error, sql_query};

use super::world::{begin, commit, rollback, run, status};
use super::{
    Conn,
    world::{Connection, RunQueryDsl, SimpleConnection},
};
use crate::diesel_cases::{
    case::{Case, Seen, cases},
    ground::Ground,
    schema::*,
    seen::outcome,
};

pub(in crate::diesel_cases) const CASES: &[Case] = cases![
    transaction_commits,
    transaction_rolls_back,
    transaction_nested,
    transaction_nested_rolls_back,
    transaction_three_deep,
    transaction_sees_its_own_writes,
    transaction_recovers_at_a_savepoint,
    transaction_with_an_error_swallowed,
    transaction_fails_at_its_commit,
    transaction_fails_at_its_commit_when_nested,
    transaction_by_hand,
    transaction_ended_too_often,
    transaction_begun_by_sql,
    transaction_ended_by_sql,
    transaction_built_serializable_and_read_only,
    transaction_built_with_each_level,
    transaction_built_within_another,
    transaction_built_rolls_back,
    transaction_of_a_test,
    transaction_of_a_test_begun,
    transaction_status_after_each_step,
    transaction_status_after_an_error,
    transaction_returns_errors_of_ones_own,
    transaction_by_script,
    transaction_isolates_from_others,
    transaction_cursor,
];

async fn write(c: &mut Conn, name: &str) -> QueryResult<usize> {
    diesel::insert_into(authors::table).values(authors::name.eq(name)).execute(c).await
}

async fn names(c: &mut Conn) -> String {
    outcome(authors::table.filter(authors::id.gt(4)).select(authors::name).order(authors::name).load::<String>(c).await)
}

async fn transaction_commits(c: &mut Conn, _: &Ground) -> Seen {
    let done = c.transaction(async |c| write(c, "E").await).await;
    Ok(format!("{} {} {}", outcome(done), names(c).await, status(c)))
}

async fn transaction_rolls_back(c: &mut Conn, _: &Ground) -> Seen {
    let done = c
        .transaction(async |c| {
            write(c, "E").await?;
            QueryResult::<()>::Err(Error::RollbackTransaction)
        })
        .await;
    Ok(format!("{} {} {}", outcome(done), names(c).await, status(c)))
}

async fn transaction_nested(c: &mut Conn, _: &Ground) -> Seen {
    let done = c
        .transaction(async |c| {
            write(c, "E").await?;
            c.transaction(async |c| write(c, "F").await).await
        })
        .await;
    Ok(format!("{} {}", outcome(done), names(c).await))
}

async fn transaction_nested_rolls_back(c: &mut Conn, _: &Ground) -> Seen {
    let done = c
        .transaction(async |c| {
            write(c, "E").await?;
            let inner = c
                .transaction(async |c| {
                    write(c, "F").await?;
                    QueryResult::<()>::Err(Error::NotFound)
                })
                .await;
            write(c, "G").await?;
            QueryResult::Ok(outcome(inner))
        })
        .await;
    Ok(format!("{} {}", outcome(done), names(c).await))
}

async fn transaction_three_deep(c: &mut Conn, _: &Ground) -> Seen {
    let mut seen = Vec::new();
    begin(c).await?;
    for name in ["E", "F"] {
        begin(c).await?;
        write(c, name).await?;
        seen.push(status(c));
    }
    rollback(c).await?;
    seen.push(names(c).await);
    commit(c).await?;
    seen.push(status(c));
    commit(c).await?;
    seen.push(names(c).await);
    Ok(seen.join(" "))
}

async fn transaction_sees_its_own_writes(c: &mut Conn, _: &Ground) -> Seen {
    let inside = c
        .transaction(async |c| {
            write(c, "E").await?;
            diesel::update(authors::table).set(authors::born.eq(5)).execute(c).await?;
            authors::table.filter(authors::born.eq(5)).count().get_result::<i64>(c).await
        })
        .await;
    Ok(outcome(inside))
}

async fn transaction_recovers_at_a_savepoint(c: &mut Conn, _: &Ground) -> Seen {
    let done = c
        .transaction(async |c| {
            write(c, "E").await?;
            let inner = c.transaction(async |c| write(c, "Ada").await).await;
            let after = status(c);
            write(c, "F").await?;
            QueryResult::Ok(format!("{} {after}", outcome(inner)))
        })
        .await;
    Ok(format!("{} {} {}", outcome(done), names(c).await, status(c)))
}

async fn transaction_with_an_error_swallowed(c: &mut Conn, _: &Ground) -> Seen {
    let mut seen = String::new();
    let done = c
        .transaction(async |c| {
            write(c, "E").await?;
            let failed = write(c, "Ada").await;
            let next = write(c, "F").await;
            QueryResult::Ok(format!("{} {}", outcome(failed), outcome(next)))
        })
        .await;
    seen += &outcome(done);
    Ok(format!("{seen} {} {}", names(c).await, status(c)))
}

async fn transaction_fails_at_its_commit(c: &mut Conn, _: &Ground) -> Seen {
    let done = c
        .transaction(async |c| {
            diesel::insert_into(prizes::table).values((prizes::book_id.eq(99), prizes::year.eq(1))).execute(c).await
        })
        .await;
    Ok(format!("{} {} {}", outcome(done), status(c), outcome(write(c, "E").await)))
}

async fn transaction_fails_at_its_commit_when_nested(c: &mut Conn, _: &Ground) -> Seen {
    let done = c
        .transaction(async |c| {
            let inner = c
                .transaction(async |c| {
                    diesel::insert_into(prizes::table)
                        .values((prizes::book_id.eq(99), prizes::year.eq(1)))
                        .execute(c)
                        .await
                })
                .await;
            QueryResult::Ok(outcome(inner))
        })
        .await;
    Ok(format!("{} {} {}", outcome(done), status(c), outcome(write(c, "E").await)))
}

async fn transaction_by_hand(c: &mut Conn, _: &Ground) -> Seen {
    begin(c).await?;
    write(c, "E").await?;
    rollback(c).await?;
    begin(c).await?;
    write(c, "F").await?;
    commit(c).await?;
    Ok(format!("{} {}", names(c).await, status(c)))
}

async fn transaction_ended_too_often(c: &mut Conn, _: &Ground) -> Seen {
    Ok(format!("{} {} {}", outcome(commit(c).await), outcome(rollback(c).await), status(c)))
}

async fn transaction_begun_by_sql(c: &mut Conn, _: &Ground) -> Seen {
    c.batch_execute("begin").await?;
    let before = status(c);
    write(c, "E").await?;
    c.batch_execute("rollback").await?;
    Ok(format!("{before} {} {}", status(c), names(c).await))
}

async fn transaction_ended_by_sql(c: &mut Conn, _: &Ground) -> Seen {
    begin(c).await?;
    write(c, "E").await?;
    c.batch_execute("commit").await?;
    Ok(format!("{} {}", names(c).await, status(c)))
}

async fn transaction_built_serializable_and_read_only(c: &mut Conn, _: &Ground) -> Seen {
    let done =
        run!(c.build_transaction().serializable().read_only().deferrable(), async |c: &mut Conn| write(c, "E").await);
    Ok(format!("{} {}", outcome(done), status(c)))
}

async fn transaction_built_with_each_level(c: &mut Conn, _: &Ground) -> Seen {
    let level = "select concat_ws(' ', current_setting('transaction_isolation'), current_setting('transaction_read_only'),                  current_setting('transaction_deferrable')) as said";
    let committed = run!(c.build_transaction().read_committed().read_write(), async |c: &mut Conn| {
        sql_query(level).get_result::<Said>(c).await
    });
    let repeatable = run!(c.build_transaction().repeatable_read().not_deferrable(), async |c: &mut Conn| {
        sql_query(level).get_result::<Said>(c).await
    });
    let serializable = run!(c.build_transaction().serializable().read_only().deferrable(), async |c: &mut Conn| {
        sql_query(level).get_result::<Said>(c).await
    });
    Ok(format!("{} {} {}", outcome(committed), outcome(repeatable), outcome(serializable)))
}

async fn transaction_built_within_another(c: &mut Conn, _: &Ground) -> Seen {
    begin(c).await?;
    let built = run!(c.build_transaction().serializable(), async |c: &mut Conn| write(c, "E").await);
    rollback(c).await?;
    Ok(format!("{} {}", outcome(built), names(c).await))
}

async fn transaction_built_rolls_back(c: &mut Conn, _: &Ground) -> Seen {
    let built = run!(c.build_transaction().serializable(), async |c: &mut Conn| {
        write(c, "E").await?;
        QueryResult::<()>::Err(Error::NotFound)
    });
    Ok(format!("{} {} {}", outcome(built), names(c).await, status(c)))
}

async fn transaction_of_a_test(c: &mut Conn, _: &Ground) -> Seen {
    // Where none can be begun, a test transaction panics.
    begin(c).await?;
    rollback(c).await?;
    let written = c.test_transaction::<_, Error, _>(async |c| write(c, "E").await).await;
    Ok(format!("{written} {} {}", names(c).await, status(c)))
}

async fn transaction_of_a_test_begun(c: &mut Conn, _: &Ground) -> Seen {
    c.begin_test_transaction().await?;
    c.transaction(async |c| write(c, "E").await).await?;
    let seen = format!("{} {}", names(c).await, status(c));
    rollback(c).await?;
    Ok(format!("{seen} {}", names(c).await))
}

async fn transaction_status_after_each_step(c: &mut Conn, _: &Ground) -> Seen {
    let mut seen = vec![status(c)];
    begin(c).await?;
    seen.push(status(c));
    write(c, "E").await?;
    begin(c).await?;
    seen.push(status(c));
    rollback(c).await?;
    seen.push(status(c));
    commit(c).await?;
    seen.push(status(c));
    Ok(seen.join(", "))
}

async fn transaction_status_after_an_error(c: &mut Conn, _: &Ground) -> Seen {
    begin(c).await?;
    let mut seen = vec![outcome(write(c, "Ada").await), status(c)];
    seen.push(outcome(commit(c).await));
    seen.push(status(c));
    seen.push(outcome(rollback(c).await));
    seen.push(status(c));
    seen.push(names(c).await);
    Ok(seen.join(", "))
}

#[derive(Debug)]
enum Own {
    Mine,
    Theirs(Error),
}

impl From<Error> for Own {
    fn from(error: Error) -> Self {
        Self::Theirs(error)
    }
}

async fn transaction_returns_errors_of_ones_own(c: &mut Conn, _: &Ground) -> Seen {
    let failed = c
        .transaction(async |c| {
            write(c, "E").await?;
            Err::<(), _>(Own::Mine)
        })
        .await;
    let failed = match failed {
        Err(Own::Theirs(error)) => return Err(error),
        other => format!("{other:?}"),
    };
    Ok(format!("{failed} {}", names(c).await))
}

async fn transaction_by_script(c: &mut Conn, _: &Ground) -> Seen {
    let done = c
        .batch_execute(
            "begin; insert into authors (name) values ('E'); commit; insert into authors (name) values ('F')",
        )
        .await;
    Ok(format!("{} {} {}", outcome(done), status(c), names(c).await))
}

async fn transaction_isolates_from_others(c: &mut Conn, ground: &Ground) -> Seen {
    let mut other = super::world::establish::<Conn>(ground).await;
    begin(c).await?;
    write(c, "E").await?;
    let before = names(&mut other).await;
    commit(c).await?;
    Ok(format!("{before} {}", names(&mut other).await))
}

async fn transaction_cursor(c: &mut Conn, _: &Ground) -> Seen {
    begin(c).await?;
    c.batch_execute("declare reader cursor for select i::text as said from generate_series(1, 5) i").await?;
    let two = sql_query("fetch 2 from reader").load::<Said>(c).await;
    let rest = sql_query("fetch all from reader").load::<Said>(c).await;
    commit(c).await?;
    Ok(format!("{} {}", outcome(two), outcome(rest)))
}
