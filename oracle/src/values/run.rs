use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context, Result, anyhow};
use fastrand::Rng;
use pgferry::Oid;

use super::{
    ask::{self, Sample},
    compare::compare,
    coverage::excuse,
    damage::damage,
    meaning::meaning,
};
use crate::{
    codec::Codec,
    corpus::Corpus,
    grow::{self, Pools},
    report::{Mismatches, say},
    server::Server,
    tcp::Connection,
    types::{TypeEntry, TypeKind, Types},
};

/// A message of the protocol has at most 65535 parameters; fewer keep the server's memory small.
const BATCH: usize = 2000;
const BATCH_BYTES: usize = 4 << 20;
const THREADS: usize = 2;
/// Of so many values one is damaged in every place.
const DAMAGED: usize = 50;
/// Even a type with a small share gets so many.
const LEAST: usize = 12;
/// For each value wanted, so many literals are tried at most.
const TRIES: usize = 3;
/// Of so many values one is altered and sent.
const ALTERED: usize = 8;

/// How many values are compared, and from which seed they grow.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) values: usize,
    pub(crate) seed: u64,
}

/// What became of one type.
#[derive(Debug, Default)]
struct Outcome {
    compared: usize,
    /// Why it was not converted.
    reason: Option<String>,
    mismatches: Mismatches,
    pool: Vec<String>,
}

/// Compares values of every type of the server's database, prints what is not covered, and returns the mismatches.
pub(crate) fn run(server: &Server, plan: Plan, corpus: Option<&Corpus>) -> Result<Mismatches> {
    let mut connection = server.connect()?;
    let types = Types::read(&mut connection)?;
    let codec = Codec::load(&mut connection, &types)?;
    let shares: usize = types.iter().map(|entry| share(entry, &types)).sum();
    let mut pools = Pools::default();
    let mut outcomes = BTreeMap::new();
    for level in types.levels() {
        let next = AtomicUsize::new(0);
        let done = Mutex::new(Vec::new());
        let work = || -> Result<()> {
            let mut connection = server.connect()?;
            while let Some(entry) = level.get(next.fetch_add(1, Ordering::Relaxed)) {
                let quota = (plan.values * share(entry, &types)).div_ceil(shares.max(1)).max(LEAST);
                let mut random = Rng::with_seed(plan.seed ^ u64::from(entry.oid).wrapping_mul(0x9e37_79b9_7f4a_7c15));
                let mut growth = Growth { entry, types: &types, pools: &pools, random: &mut random, quota };
                let outcome = one(&mut connection, &codec, &mut growth, corpus).with_context(|| entry.cast.clone())?;
                done.lock().map_err(|_| anyhow!("a thread panicked"))?.push((entry.oid, outcome));
            }
            Ok(())
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| anyhow!("a thread panicked"))?)
        })?;
        for (oid, mut outcome) in done.into_inner().map_err(|_| anyhow!("a thread panicked"))? {
            pools.add(oid, std::mem::take(&mut outcome.pool));
            outcomes.insert(oid, outcome);
        }
    }
    let mut mismatches = summarise(server, &types, outcomes)?;
    for difference in Codec::outdated(&types) {
        mismatches.add("built-in types", difference);
    }
    Ok(mismatches)
}

/// How much of the values a type gets.
fn share(entry: &TypeEntry, types: &Types) -> usize {
    match &entry.kind {
        TypeKind::Pseudo => 0,
        TypeKind::Composite { relation, .. } if !relation.is_empty() => 1,
        TypeKind::Array { element } => types.get(*element).map_or(1, |element| share(element, types)),
        TypeKind::Base => 8,
        _ => 6,
    }
}

struct Growth<'a> {
    entry: &'a TypeEntry,
    types: &'a Types,
    pools: &'a Pools,
    random: &'a mut Rng,
    quota: usize,
}

impl Growth<'_> {
    fn literal(&mut self, index: usize) -> Option<String> {
        match self.entry.kind {
            TypeKind::Base | TypeKind::Pseudo => grow::scalar(&self.entry.name, index, self.random),
            _ => grow::nested(self.entry, self.types, self.pools, self.random),
        }
    }

    fn batch(&mut self, from: usize, wanted: usize) -> Vec<String> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for index in from..from + wanted.min(BATCH) {
            let Some(literal) = self.literal(index) else { break };
            bytes += literal.len();
            batch.push(literal);
            if bytes > BATCH_BYTES {
                break;
            }
        }
        batch
    }
}

fn one(
    connection: &mut Connection,
    codec: &Codec,
    growth: &mut Growth<'_>,
    corpus: Option<&Corpus>,
) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let entry = growth.entry;
    let conversion = match codec.conversion(entry.oid) {
        Ok(conversion) => Some(conversion),
        Err(reason) => {
            outcome.reason = Some(reason);
            None
        }
    };
    let mut take = |connection: &mut Connection, samples: Vec<Sample>, random: &mut Rng| -> Result<()> {
        for sample in samples {
            if let Some(conversion) = &conversion {
                for difference in compare(connection, entry, conversion, &sample)? {
                    outcome.mismatches.add(&entry.cast, difference);
                }
                if outcome.compared % DAMAGED == 0
                    && let Some(panic) = damage(conversion, &sample, random)
                {
                    outcome.mismatches.add(&entry.cast, panic);
                }
                if outcome.compared % ALTERED == 0
                    && let Some(difference) = meaning(connection, entry, conversion, &sample, random)?
                {
                    outcome.mismatches.add(&entry.cast, difference);
                }
                outcome.compared += 1;
            }
            if let Some(corpus) = corpus {
                corpus.add(entry, &sample)?;
            }
            outcome.pool.extend(String::from_utf8(sample.text.into()).ok());
        }
        Ok(())
    };
    for query in grow::expressions(entry, growth.quota.min(400)) {
        match ask::query(connection, &query)? {
            Ok(samples) => take(connection, samples, growth.random)?,
            // Some rows cannot be had: what is in them has no binary form, or the system has not what a view is about.
            Err(_) if matches!(entry.kind, TypeKind::Composite { .. }) => {}
            Err(failure) => return Err(failure).context(query),
        }
    }
    // Without a binary form the server refuses every batch, one by one.
    if entry.send.is_empty() && entry.kind == TypeKind::Base {
        return Ok(outcome);
    }
    // Some literals the server refuses: ranges with their bounds in the wrong order, for one.
    let (mut tried, mut taken) = (0, 0);
    while taken < growth.quota && tried < growth.quota * TRIES {
        let batch = growth.batch(tried, growth.quota - taken);
        if batch.is_empty() {
            break;
        }
        tried += batch.len();
        let samples = ask::literals(connection, entry, &batch)?;
        taken += samples.len();
        take(connection, samples, growth.random)?;
    }
    Ok(outcome)
}

fn summarise(server: &Server, types: &Types, outcomes: BTreeMap<Oid, Outcome>) -> Result<Mismatches> {
    let mut mismatches = Mismatches::default();
    let (mut covered, mut compared) = (0, 0);
    let mut excused: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (oid, outcome) in outcomes {
        let entry = types.get(oid).context("an unknown type")?;
        mismatches.merge(outcome.mismatches);
        compared += outcome.compared;
        if outcome.compared > 0 {
            covered += 1;
            continue;
        }
        let reason = outcome.reason.unwrap_or_else(|| "it is converted, but no value of it was found".into());
        match excuse(entry, types) {
            Some(excuse)
                if matches!(entry.kind, TypeKind::Base | TypeKind::Range { .. } | TypeKind::Multirange { .. }) =>
            {
                say(&format!("not covered: {}: {excuse}", entry.cast));
            }
            Some(excuse) => excused.entry(excuse).or_default().push(&entry.cast),
            None => mismatches.add(&entry.cast, format!("not covered: {reason}")),
        }
    }
    for (excuse, names) in excused {
        say(&format!("not covered: {excuse}: {}", names.join(", ")));
    }
    say(&format!(
        "PostgreSQL {}: {covered} types covered of {} present, {compared} values compared",
        server.version,
        types.len()
    ));
    Ok(mismatches)
}
