//! One suite of cases that runs unchanged on TCP, WebSocket, Auto and HTTP.
//!
//! What the cases observe is the same on each road, but for the differences that are listed by name.

mod case;
mod commands;
mod compare;
mod differences;
mod errors;
mod ground;
mod pools;
mod queries;
mod seen;
mod sessions;
mod settings;
mod statements;
mod transactions;
mod user_types;
mod values;

use case::Case;
use compare::compare;

const GROUPS: &[&[Case]] = &[
    commands::CASES,
    errors::CASES,
    pools::CASES,
    queries::CASES,
    sessions::CASES,
    settings::CASES,
    statements::CASES,
    transactions::CASES,
    user_types::CASES,
    values::CASES,
];

#[test]
fn every_case_has_a_name_of_its_own_and_every_difference_is_of_a_case() {
    let names: Vec<_> = GROUPS.iter().flat_map(|group| group.iter().map(|case| case.name)).collect();
    let unique: std::collections::BTreeSet<_> = names.iter().copied().collect();
    assert_eq!(unique.len(), names.len());
    assert!(names.len() >= 120, "{}", names.len());
    for listed in differences::listed() {
        assert!(unique.contains(listed), "{listed} is no case");
    }
}
