//! The types that the server infers for a statement's parameters.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    Oid,
    error::{Error, Outcome, Result},
    http,
    sql::{Dialect, is_undeclared},
};

/// How many statements' types are kept.
const KEPT: usize = 512;

/// How large all that is kept may be, in bytes.
const KEPT_SIZE: usize = 1024 * 1024;

/// How large one statement may be, with what is kept of it, in bytes: larger ones are seldom sent twice.
const MAX_SIZE: usize = 16 * 1024;

/// The types that were asked for, by the statement and what was declared of them.
#[derive(Debug, Default)]
pub(super) struct Descriptions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    types: HashMap<(Arc<str>, Vec<Oid>), Vec<Oid>>,
    /// The count of changes to types that they were asked for under.
    changes: u64,
    /// The sizes of them all.
    size: usize,
}

impl Descriptions {
    pub(super) fn get(&self, text: &Arc<str>, declared: &[Oid], changes: u64) -> Option<Vec<Oid>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(text), declared.to_vec());
        (kept.changes == changes).then(|| kept.types.get(&key).cloned()).flatten()
    }

    pub(super) fn keep(&self, text: &Arc<str>, declared: &[Oid], changes: u64, types: Vec<Oid>) {
        let size = text.len() + size_of_val(declared) + size_of_val(&types[..]);
        if size > MAX_SIZE {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.changes != changes || kept.types.len() >= KEPT || kept.size + size > KEPT_SIZE {
            *kept = Kept { changes, ..Kept::default() };
        }
        if kept.types.insert((Arc::clone(text), declared.to_vec()), types).is_none() {
            kept.size += size;
        }
    }
}

/// Asks the server for the types of a statement's parameters: it prepares the statement, tells, and forgets it, in one
/// transaction. PREPARE takes declared types as the protocol does.
pub(super) async fn ask(
    client: &http::Client,
    dialect: Dialect,
    text: &str,
    declared: &[Oid],
    names: &[String],
) -> Result<Vec<Oid>> {
    let name = unused_name();
    let types = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let before = format!("prepare \"{name}\"{types} as ");
    // Semicolons may stand before it; several statements are for the server to refuse.
    let start = match &dialect.split_ranges(text)[..] {
        [only] => only.start,
        _ => 0,
    };
    let (left_out, text) = text.split_at_checked(start).unwrap_or(("", text));
    let count = |text: &str| i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let shift = count(&before).saturating_sub(count(left_out));
    let statements = [
        http::Statement::new(before + text),
        http::Statement::new(format!(
            "select s.parameter_types::pg_catalog.oid[] from pg_catalog.pg_prepared_statements s \
             where s.name operator(pg_catalog.=) '{name}'"
        )),
        http::Statement::new(format!("deallocate \"{name}\"")),
    ];
    let request = http::Request::Batch { statements: &statements, options: http::BatchOptions::new() };
    let results = async { client.stream(request).await?.collect().await }.await;
    let results = results.map_err(|error| {
        // The statement itself was only analysed.
        let outcome = match error.outcome() {
            Outcome::Unknown => Outcome::NotExecuted,
            known => known,
        };
        error.with_outcome(outcome).map_position(|position| {
            u32::try_from(i64::from(position).saturating_sub(shift)).ok().filter(|&place| place > 0)
        })
    })?;
    let unreadable = || Error::protocol("the server did not tell the parameters' types", Outcome::NotExecuted);
    let row = results.get(1).and_then(|result| result.rows().first()).ok_or_else(unreadable)?;
    let text = row.text(0)?.ok_or_else(unreadable)?;
    let list = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).ok_or_else(unreadable)?;
    let oids = list.split(',').filter(|oid| !oid.is_empty()).map(|oid| oid.parse().map_err(|_| unreadable()));
    let mut types: Vec<Oid> = oids.collect::<Result<_>>()?;
    // Those declared are told as they were declared, of which the server knows no more.
    for (type_, &declared) in types.iter_mut().zip(declared) {
        if !is_undeclared(declared) {
            *type_ = declared;
        }
    }
    Ok(types)
}

/// Whether the server infers types for a statement's parameters, and PREPARE takes it to say which.
pub(super) fn can_be_asked(dialect: Dialect, text: &str) -> bool {
    dialect.highest_parameter(text) > 0 && dialect.is_preparable(text)
}

/// A name that no other session of a pooled server connection has left there.
fn unused_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("_pgferry_{}_{since}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_queries_have_parameters_to_ask_for() {
        for text in [
            "select $1",
            "(with x as (select $1) table x)",
            "/* a /* b */ c */ -- d\n;Insert into t values ($1)",
            "merge into t using s on $1 when matched then delete",
        ] {
            assert!(can_be_asked(Dialect::new(), text), "{text}");
        }
        for text in ["", "select 1", "select '$1'", "call p($1)", "create table t as select $1", "/* select $1", "--"] {
            assert!(!can_be_asked(Dialect::new(), text), "{text}");
        }
    }

    #[test]
    fn as_many_are_kept_as_there_is_room_for() {
        let descriptions = Descriptions::default();
        for number in 0..2 * KEPT {
            descriptions.keep(&number.to_string().into(), &[], 0, vec![23]);
        }
        assert!(descriptions.0.lock().unwrap().types.len() <= KEPT);
        let last: Arc<str> = (2 * KEPT - 1).to_string().into();
        assert_eq!(descriptions.get(&last, &[], 0), Some(vec![23]));
        assert_eq!(descriptions.get(&last, &[23], 0), None);
        assert_eq!(descriptions.get(&last, &[], 1), None);
    }

    #[test]
    fn large_statements_do_not_fill_the_memory() {
        let descriptions = Descriptions::default();
        for number in 0..2 * KEPT {
            let text: Arc<str> = format!("{number:010000}").into();
            descriptions.keep(&text, &[], 0, vec![23]);
            assert_eq!(descriptions.get(&text, &[], 0), Some(vec![23]));
        }
        let texts = |kept: &Kept| kept.types.keys().map(|(text, _)| text.len()).sum::<usize>();
        assert!(texts(&descriptions.0.lock().unwrap()) <= KEPT_SIZE);
        let text: Arc<str> = "x".repeat(MAX_SIZE + 1).into();
        descriptions.keep(&text, &[], 0, vec![23]);
        assert_eq!(descriptions.get(&text, &[], 0), None);
    }
}
