//! diesel over pgferry: a connection that blocks, a pool of async connections, a transaction over HTTP, migrations at start-up.

pub mod batch;
pub mod migrations;
pub mod pool;
mod schema;
pub mod sync;

use std::env;

use anyhow::Context;
use pgferry_test_support::Stage;

/// The database of `DATABASE_URL`, or else a throw-away one behind a gateway, which runs until it is dropped.
#[derive(Debug)]
pub enum Database {
    /// That of the environment, by its URL.
    Given(String),
    /// A throw-away one.
    ThrowAway(Stage),
}

impl Database {
    /// Finds one.
    ///
    /// # Errors
    ///
    /// When `DATABASE_URL` is no text.
    ///
    /// # Panics
    ///
    /// When no throw-away database can be had.
    pub fn find() -> anyhow::Result<Self> {
        match env::var_os("DATABASE_URL") {
            Some(url) => Ok(Self::Given(url.into_string().ok().context("DATABASE_URL is no text")?)),
            None => Ok(Self::ThrowAway(Stage::start())),
        }
    }

    /// Returns the URL with which pgferry's connections reach it.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::Given(url) => url.clone(),
            Self::ThrowAway(stage) => stage.url(),
        }
    }
}
