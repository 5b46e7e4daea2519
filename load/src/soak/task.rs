use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures_util::TryStreamExt;
use pgferry_sqlx::Transport;
use sqlx::{AssertSqlSafe, Connection, PgPool, Row};
use tokio::time::timeout;

use super::{
    random::Random,
    schema::{Mood, Place},
    tally::Tally,
};

/// One user of the pool, who knows what each answer must be.
pub(super) struct Task<'a> {
    pub(super) number: i32,
    pub(super) pool: &'a PgPool,
    pub(super) transport: Transport,
    pub(super) tally: &'a Tally,
    pub(super) random: Random,
    /// What the account must hold; nobody else changes it.
    pub(super) balance: i64,
    /// How many entries were written.
    pub(super) entries: i64,
    /// How many times writing was tried and given up.
    pub(super) attempts: i64,
}

impl Task<'_> {
    /// Works until the end, also behind a wrong answer, which is noted.
    pub(super) async fn run(mut self, end: Instant) {
        while Instant::now() < end {
            let began = Instant::now();
            let (what, result) = self.step().await;
            match result {
                Ok(()) => self.tally.done(what, began.elapsed()),
                Err(error) => self.tally.wrong(format!("{what}: {error:#}")),
            }
        }
    }

    async fn step(&mut self) -> (&'static str, Result<()>) {
        match self.random.below(17) {
            0 | 1 => ("unique text", self.unique_text().await),
            2..=4 => ("repeated text", self.repeated_text().await),
            5 => ("user types", self.user_types().await),
            6 => ("large row", self.large_row().await),
            7 => ("many rows", self.many_rows().await),
            8 => ("write", self.write().await),
            9 | 10 => ("transaction", self.transaction().await),
            11 | 12 => ("timeout", self.given_up().await),
            13 => ("write given up", self.write_given_up().await),
            14 => ("stream dropped", self.stream_dropped().await),
            15 => ("large result", self.large_result().await),
            _ if self.random.below(4) == 0 => ("connection dropped", self.connection_dropped().await),
            _ => ("error", self.error().await),
        }
    }

    async fn unique_text(&mut self) -> Result<()> {
        let (literal, given) = (i64::from(self.random.below(u32::MAX)), i64::from(self.random.below(1000)));
        let text = AssertSqlSafe(format!("SELECT {literal}::int8 + $1"));
        let sum: i64 = sqlx::query_scalar(text).bind(given).fetch_one(self.pool).await?;
        ensure!(sum == literal + given, "{literal} + {given} = {sum}");
        Ok(())
    }

    async fn repeated_text(&mut self) -> Result<()> {
        let number = i64::from(self.random.below(u32::MAX));
        let word = format!("task {} \u{1F42C} {number}", self.number);
        let (text, back): (String, i64) =
            sqlx::query_as("SELECT $1::text || '!', $2::int8").bind(&word).bind(number).fetch_one(self.pool).await?;
        ensure!(text == format!("{word}!") && back == number, "{word} {number} came back as {text} {back}");
        Ok(())
    }

    async fn user_types(&mut self) -> Result<()> {
        let moods: Vec<Mood> = (0..self.random.below(5)).map(|_| self.mood()).collect();
        let place = Place { x: f64::from(self.random.below(1000)) / 8.0, name: format!("place of {}", self.number) };
        let row = sqlx::query("SELECT $1::mood[], $2::place, ($1::mood[])[1]")
            .bind(&moods)
            .bind(&place)
            .fetch_one(self.pool)
            .await?;
        let (back, there): (Vec<Mood>, Place) = (row.try_get(0)?, row.try_get(1)?);
        let first: Option<Mood> = row.try_get(2)?;
        ensure!(back == moods && there == place && first == moods.first().copied(), "{back:?} {there:?} {first:?}");
        Ok(())
    }

    fn mood(&mut self) -> Mood {
        let index = self.random.below(3) as usize;
        Mood::ALL.get(index).copied().unwrap_or(Mood::Fair)
    }

    async fn large_row(&mut self) -> Result<()> {
        let times = i32::try_from(1 + self.random.below(100_000))?;
        let row: String = sqlx::query_scalar("SELECT repeat('abcdefgh', $1)").bind(times).fetch_one(self.pool).await?;
        ensure!(row == "abcdefgh".repeat(times as usize), "{times} times 8 are {} others", row.len());
        Ok(())
    }

    /// More than a megabyte in rows of a kilobyte, each of which is compared as it comes.
    async fn large_result(&mut self) -> Result<()> {
        let (count, number) = (i64::from(1100 + self.random.below(900)), i64::from(self.random.below(u32::MAX)));
        let mut rows = sqlx::query_as::<_, (i64, String)>(
            "SELECT n, repeat($2::int8 || '.' || n || ' \u{1F42C};', 1 + 1000 / length($2::text)) FROM generate_series(1, $1::int8) n",
        )
        .bind(count)
        .bind(number)
        .fetch(self.pool);
        let times = 1 + 1000 / number.to_string().len();
        let mut found = 0;
        while let Some((row, text)) = rows.try_next().await? {
            found += 1;
            ensure!(row == found, "row {found} is {row}");
            let expected = format!("{number}.{row} \u{1F42C};").repeat(times);
            ensure!(
                text == expected,
                "row {row} of {count}, of {} bytes, is another: {} bytes",
                expected.len(),
                text.len()
            );
        }
        ensure!(found == count, "{found} rows of {count}");
        Ok(())
    }

    async fn many_rows(&mut self) -> Result<()> {
        let (count, factor) = (i64::from(self.random.below(2000)), i64::from(self.number));
        let rows = sqlx::query_as::<_, (i64, i64)>("SELECT n, n * $2 FROM generate_series(1, $1::int8) n")
            .bind(count)
            .bind(factor)
            .fetch_all(self.pool)
            .await?;
        let expected = |(index, row): (usize, &(i64, i64))| {
            let number = index as i64 + 1;
            *row == (number, number * factor)
        };
        ensure!(rows.len() as i64 == count && rows.iter().enumerate().all(expected), "{count} rows: {}", rows.len());
        Ok(())
    }

    async fn write(&mut self) -> Result<()> {
        let written = sqlx::query("INSERT INTO entry VALUES ($1, $2)")
            .bind(self.number)
            .bind(self.entries + 1)
            .execute(self.pool)
            .await?;
        ensure!(written.rows_affected() == 1, "{} rows", written.rows_affected());
        self.entries += 1;
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM entry WHERE task = $1")
            .bind(self.number)
            .fetch_one(self.pool)
            .await?;
        ensure!(count == self.entries, "{count} entries instead of {}", self.entries);
        Ok(())
    }

    async fn transaction(&mut self) -> Result<()> {
        if self.transport == Transport::Http {
            let error = self.pool.begin().await.err().context("a transaction was begun")?;
            ensure!(code(&error).as_deref() == Some("0A000"), "BEGIN: {error}");
            return Ok(());
        }
        let amount = i64::from(self.random.below(100));
        let mut transaction = self.pool.begin().await?;
        let changed: i64 =
            sqlx::query_scalar("UPDATE account SET balance = balance + $2 WHERE task = $1 RETURNING balance")
                .bind(self.number)
                .bind(amount)
                .fetch_one(&mut *transaction)
                .await?;
        ensure!(changed == self.balance + amount, "{} + {amount} = {changed}", self.balance);
        match self.random.below(4) {
            0 => transaction.rollback().await?,
            1 => drop(transaction),
            2 => {
                let sleep = sqlx::query("SELECT pg_sleep(0.02)").execute(&mut *transaction);
                // Whether it ended in time is all the same: the transaction is dropped.
                let _ = timeout(self.patience(), sleep).await;
                drop(transaction);
            }
            _ => {
                transaction.commit().await?;
                self.balance += amount;
            }
        }
        let balance: i64 = sqlx::query_scalar("SELECT balance FROM account WHERE task = $1")
            .bind(self.number)
            .fetch_one(self.pool)
            .await?;
        ensure!(balance == self.balance, "the balance is {balance} instead of {}", self.balance);
        Ok(())
    }

    async fn given_up(&mut self) -> Result<()> {
        let number = i64::from(self.random.below(u32::MAX));
        let query = sqlx::query_scalar::<_, i64>("SELECT $1::int8 FROM pg_sleep(0.004)").bind(number);
        if let Ok(answer) = timeout(self.patience(), query.fetch_one(self.pool)).await {
            let answer = answer?;
            ensure!(answer == number, "{number} came back as {answer}");
        }
        Ok(())
    }

    /// What nobody waited for may have happened, once.
    async fn write_given_up(&mut self) -> Result<()> {
        self.attempts += 1;
        let insert =
            sqlx::query("INSERT INTO attempt VALUES ($1, $2)").bind(self.number).bind(self.attempts).execute(self.pool);
        let ended = timeout(self.patience(), insert).await.ok().transpose()?.is_some();
        let found: Vec<i64> = sqlx::query_scalar("SELECT number FROM attempt WHERE task = $1 ORDER BY number")
            .bind(self.number)
            .fetch_all(self.pool)
            .await?;
        ensure!(!ended || found.last() == Some(&self.attempts), "attempt {} is lost", self.attempts);
        ensure!(found.len() as i64 <= self.attempts, "{} of {} attempts", found.len(), self.attempts);
        Ok(())
    }

    async fn stream_dropped(&mut self) -> Result<()> {
        let take = i64::from(self.random.below(500));
        let mut rows =
            sqlx::query_as::<_, (i64, String)>("SELECT n, repeat('x', 1000) FROM generate_series(1, 1000::int8) n")
                .fetch(self.pool);
        for number in 1..=take {
            let (found, text) = rows.try_next().await?.context("the stream ended early")?;
            ensure!(found == number && text.len() == 1000, "row {number} is {found}");
        }
        Ok(())
    }

    async fn connection_dropped(&mut self) -> Result<()> {
        let mut connection = self.pool.acquire().await?.detach();
        let sleep = sqlx::query("SELECT pg_sleep(10)").execute(&mut connection);
        if timeout(self.patience(), sleep).await.is_ok() {
            bail!("ten seconds were short");
        }
        if self.random.below(2) == 0 {
            // It may come while the server still sleeps, and then nothing is answered.
            let _ = timeout(self.patience(), connection.close()).await;
        }
        Ok(())
    }

    async fn error(&mut self) -> Result<()> {
        let divided = sqlx::query_scalar::<_, i64>("SELECT $1::int8 / 0").bind(1_i64).fetch_one(self.pool).await;
        let error = divided.err().context("a division by zero has a result")?;
        ensure!(code(&error).as_deref() == Some("22012"), "{error}");
        let mut connection = self.pool.acquire().await?;
        let error = sqlx::raw_sql("SELECT 1; SELECT nonsense").execute(&mut *connection).await;
        let error = error.err().context("nonsense was found")?;
        ensure!(code(&error).as_deref() == Some("42703"), "{error}");
        connection.ping().await?;
        Ok(())
    }

    fn patience(&mut self) -> Duration {
        Duration::from_micros(u64::from(self.random.below(12_000)))
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}
