use std::{collections::BTreeSet, fmt::Write as _, io, time::Duration};

use pgferry::wire::TransactionStatus;

use crate::{
    backend::{Backend, Failure},
    message,
    session::{Identity, custom::Names, prepared},
};

/// What a session gets back when its turn comes again.
#[derive(Clone, Default)]
pub(crate) struct State {
    /// Settings and their values.
    settings: Vec<(String, String)>,
    /// What SET ROLE chose.
    role: Option<String>,
    /// What SET SESSION AUTHORIZATION chose.
    authorization: Option<String>,
    /// The statements that PREPARE made, as its own text.
    prepared: Vec<String>,
    /// The names of those that the protocol made, where it is known which still are.
    pub(crate) parsed: Option<BTreeSet<String>>,
}

/// A session's state, and what of it nobody can give back.
pub(crate) struct Found {
    pub(crate) state: State,
    /// Which of the settings asked for there are.
    pub(crate) custom: BTreeSet<String>,
    pub(crate) pinned: Option<&'static str>,
}

/// Asks what the session has in the backend; `custom` are the settings that Postgres does not list.
///
/// Not cancel safe.
pub(crate) async fn ask(backend: &mut Backend, custom: &Names) -> Result<Found, Failure> {
    let mut found = Found { state: State::default(), custom: BTreeSet::new(), pinned: None };
    let mut parsed = BTreeSet::new();
    for row in backend.ask(&question(custom)).await? {
        let mut columns = row.into_iter().flatten();
        let (Some(kind), Some(name)) = (columns.next(), columns.next()) else { continue };
        let value = columns.next();
        match (kind.as_str(), value) {
            ("setting", Some(value)) => found.state.settings.push((name, value)),
            ("custom", Some(value)) => {
                // The value that one is left with when it is reset.
                if !value.is_empty() {
                    found.state.settings.push((name.clone(), value));
                }
                found.custom.insert(name);
            }
            ("role", _) if name != "none" => found.state.role = Some(name),
            ("authorization", _) => found.state.authorization = Some(name),
            ("prepared", Some(text)) => match prepared::own(&name, &text) {
                Some(own) => found.state.prepared.push(own.to_owned()),
                None => found.pinned = Some(pin("prepared")),
            },
            ("parsed", _) => {
                parsed.insert(name);
            }
            ("pin", _) => found.pinned = Some(pin(&name)),
            _ => {}
        }
    }
    found.state.parsed = Some(parsed);
    if custom.are_too_many(found.custom.len()) {
        found.pinned = Some(pin("custom"));
    }
    Ok(found)
}

impl State {
    /// Returns that of a session that has set these and done nothing else.
    pub(crate) fn of(settings: Vec<(String, String)>) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Puts the state into a backend that has nobody's.
    ///
    /// Not cancel safe.
    pub(crate) async fn restore(&self, backend: &mut Backend, me: &Identity) -> Result<(), Failure> {
        // Before the role, which might not be allowed to.
        if !self.settings.is_empty() {
            backend.ask(&set(&self.settings)).await?;
        }
        let user = self.authorization.as_deref().unwrap_or(&me.user);
        backend.ask(&format!("set session authorization {}", message::name(user))).await?;
        if let Some(role) = &self.role {
            backend.ask(&format!("set role {}", message::name(role))).await?;
        }
        for text in &self.prepared {
            match backend.ask(text).await {
                // What it was about is gone; who executes it is told that there is no such statement.
                Ok(_) | Err(Failure::Refused(_)) => {}
                Err(gone) => return Err(gone),
            }
        }
        match backend.status {
            TransactionStatus::Idle => Ok(()),
            _ => Err(Failure::Gone(io::Error::other("a session's state leaves a transaction open"))),
        }
    }
}

/// Gives a session what it began with where a RESET or DISCARD has taken it away, its role above all.
///
/// Not cancel safe.
pub(crate) async fn start_over(backend: &mut Backend, me: &Identity) -> Result<(), Failure> {
    let lost = backend.ask("select session_user::text").await?;
    if lost.into_iter().flatten().flatten().next().is_none_or(|user| user != me.user) {
        backend.ask(&format!("set session authorization {}", message::name(&me.user))).await?;
    }
    let mut lost = Vec::new();
    for (name, value) in &me.settings {
        let question = format!(
            "select 1 from pg_catalog.pg_settings where lower(name) = lower({}) and source = 'session'",
            message::literal(name)
        );
        if backend.ask(&question).await?.is_empty() {
            lost.push((name.clone(), value.clone()));
        }
    }
    if lost.is_empty() { Ok(()) } else { backend.ask(&set(&lost)).await.map(drop) }
}

/// Returns how long a statement may run; the engine itself does not look at the clock.
///
/// Not cancel safe.
pub(crate) async fn statement_timeout(backend: &mut Backend) -> Result<Option<Duration>, Failure> {
    let milliseconds =
        backend.ask("select setting from pg_catalog.pg_settings where name = 'statement_timeout'").await?;
    let milliseconds = milliseconds.into_iter().flatten().flatten().next().and_then(|value| value.parse().ok());
    Ok(milliseconds.filter(|milliseconds| *milliseconds > 0).map(Duration::from_millis))
}

fn set(settings: &[(String, String)]) -> String {
    let mut text = String::from("select ");
    for (index, (name, value)) in settings.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{comma}pg_catalog.set_config({}, {}, false)",
            message::literal(name),
            message::literal(value)
        );
    }
    text
}

fn question(custom: &Names) -> String {
    let mut text = String::from(
        "select 'setting', name, setting from pg_catalog.pg_settings where source = 'session' and context in ('user', 'superuser') \
         and name not in ('transaction_isolation', 'transaction_read_only', 'transaction_deferrable', 'session_authorization', 'role') \
         union all select 'role', pg_catalog.current_setting('role'), null \
         union all select 'authorization', session_user::text, null \
         union all select case when from_sql then 'prepared' else 'parsed' end, name, statement \
           from pg_catalog.pg_prepared_statements \
         union all select 'pin', 'temporary', null where exists (select from pg_catalog.pg_class \
           where relnamespace = pg_catalog.pg_my_temp_schema()) or exists (select from pg_catalog.pg_proc \
           where pronamespace = pg_catalog.pg_my_temp_schema()) or exists (select from pg_catalog.pg_type \
           where typnamespace = pg_catalog.pg_my_temp_schema()) \
         union all select 'pin', 'listen', null where exists (select from pg_catalog.pg_listening_channels()) \
         union all select 'pin', 'advisory', null where exists (select from pg_catalog.pg_locks where locktype = 'advisory') \
         union all select 'pin', 'cursor', null where exists (select from pg_catalog.pg_cursors where is_holdable)",
    );
    if !custom.is_empty() {
        let names: Vec<String> = custom.iter().map(message::literal).collect();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            " union all select 'custom', name, value from pg_catalog.unnest(array[{}]::text[]) name, \
             lateral (select pg_catalog.current_setting(name, true)) as found (value) where value is not null",
            names.join(", ")
        );
    }
    text
}

/// Returns what a session has that nobody can give back to it.
pub(crate) fn pin(kind: &str) -> &'static str {
    match kind {
        "temporary" => "has a temporary table, which lives until it is dropped or the session ends",
        "listen" => "has sent LISTEN, which lasts until UNLISTEN or the end of the session",
        "prepared" => "has a statement of PREPARE whose text does not tell it alone, which lasts until DEALLOCATE",
        "custom" => "has more settings of its own making than are looked after, which last until the session ends",
        "advisory" => "has an advisory lock of its session, which lasts until it is unlocked or the session ends",
        _ => "has a cursor WITH HOLD, which lives until it is closed or the session ends",
    }
}
