//! A pool of async connections: many tasks at once, queries that travel together, rows that are read as they come.

use diesel::{dsl::sum, prelude::*, sql_query};
use diesel_async::{
    RunQueryDsl,
    pooled_connection::{AsyncDieselConnectionManager, deadpool::Pool},
};
use futures_util::{TryStreamExt, future::try_join_all};
use pgferry_diesel::AsyncFerryConnection;

use crate::schema::ferry_soundings;

const PLACES: [&str; 3] = ["Dogger", "Fisher", "Viking"];

/// How many soundings each task writes down.
const EACH: i32 = 200;

/// Does everything once, in a table of its own that it drops at the end; returns what it found.
///
/// # Errors
///
/// What the database or the transport says.
pub async fn run(url: &str) -> anyhow::Result<Vec<String>> {
    // As diesel-async documents it, but for the connection's type.
    let manager = AsyncDieselConnectionManager::<AsyncFerryConnection>::new(url);
    let pool = Pool::builder(manager).max_size(4).build()?;
    let mut connection = pool.get().await?;
    sql_query("create table ferry_soundings (id bigserial primary key, place text not null, fathoms integer not null)")
        .execute(&mut connection)
        .await?;
    drop(connection);
    let found = sound(&pool).await;
    sql_query("drop table ferry_soundings").execute(&mut pool.get().await?).await?;
    found
}

async fn sound(pool: &Pool<AsyncFerryConnection>) -> anyhow::Result<Vec<String>> {
    try_join_all(PLACES.map(|place| write_down(pool, place))).await?;

    let connection = pool.get().await?;
    // Polled together on one connection, they travel together: over WebSocket they cost one round trip.
    let deepest = try_join_all(PLACES.map(async |place| {
        let query = ferry_soundings::table.filter(ferry_soundings::place.eq(place));
        let sum: Option<i64> = query.select(sum(ferry_soundings::fathoms)).first(&mut &*connection).await?;
        QueryResult::Ok(format!("{place}: {} fathoms in all", sum.unwrap_or_default()))
    }));
    let mut lines = deepest.await?;

    // Never all of them in memory.
    let shallows = ferry_soundings::table
        .select(ferry_soundings::fathoms)
        .load_stream::<i32>(&mut &*connection)
        .await?
        .try_fold(0, async |count, fathoms| Ok(count + usize::from(fathoms < 10)))
        .await?;
    lines.push(format!("{shallows} soundings of less than 10 fathoms"));
    Ok(lines)
}

async fn write_down(pool: &Pool<AsyncFerryConnection>, place: &str) -> anyhow::Result<()> {
    let soundings: Vec<_> =
        (0..EACH).map(|fathoms| (ferry_soundings::place.eq(place), ferry_soundings::fathoms.eq(fathoms))).collect();
    let written = diesel::insert_into(ferry_soundings::table).values(soundings).execute(&mut pool.get().await?).await?;
    anyhow::ensure!(written == EACH as usize, "{written} were written");
    Ok(())
}
