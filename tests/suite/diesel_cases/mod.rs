//! One suite of cases that runs unchanged on diesel's connection and diesel-async's, over TCP and through a bridge, and on both of ours
//! over WebSocket, Auto and HTTP.
//!
//! What the cases observe is the same on each road, but for the differences that are listed by name.

mod blocking;
mod case;
mod compare;
mod differences;
mod ground;
mod schema;
mod seen;
mod tasks;

// Each holds the same cases, compiled against another connection.
#[allow(clippy::duplicate_mod, reason = "the cases know nothing of the connection that they run on")]
mod async_ferry;
#[allow(clippy::duplicate_mod, reason = "the cases know nothing of the connection that they run on")]
mod async_tcp;
#[allow(clippy::duplicate_mod, reason = "the cases know nothing of the connection that they run on")]
mod ferry;
#[allow(clippy::duplicate_mod, reason = "the cases know nothing of the connection that they run on")]
mod tcp;

use case::Case;
use compare::{World, compare};

/// Makes a test of each group of cases.
macro_rules! groups {
    ($($group:ident),+ $(,)?) => {
        const GROUPS: &[&[Case]] = &[$(tcp::$group::CASES),+];

        $(#[test]
        fn $group() {
            compare(&[
                World { name: "blocking", control: tcp::$group::CASES, ferried: ferry::$group::CASES, run: blocking::observe },
                World { name: "async", control: async_tcp::$group::CASES, ferried: async_ferry::$group::CASES, run: tasks::observe },
            ]);
        })+
    };
}

groups!(connections, errors, queries, transactions, types, values, writes);

#[test]
fn every_case_has_a_name_of_its_own_and_every_difference_is_of_a_case() {
    let names: Vec<_> = GROUPS.iter().flat_map(|group| group.iter().map(|case| case.name)).collect();
    let unique: std::collections::BTreeSet<_> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len());
    for listed in differences::listed() {
        assert!(unique.contains(listed.as_str()), "{listed} is no case");
    }
}
