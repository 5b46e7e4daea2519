//! Where a road may differ from TCP, by name: `differences.txt`, whose head says how. Each entry is exact: one that no longer holds
//! fails the suite.

use std::fs;

use super::compare::Road;

/// Cases in which some roads give something else than TCP does.
#[derive(Debug)]
struct Difference {
    /// The roads, and perhaps the one world, that it is of.
    roads: Vec<String>,
    /// A part of what is seen instead.
    gives: String,
    cases: Vec<String>,
}

impl Difference {
    fn is_of(&self, world: &str, road: Road, case: &str) -> bool {
        let worlds = ["blocking", "async"];
        let any_world = !self.roads.iter().any(|listed| worlds.contains(&listed.as_str()));
        self.cases.iter().any(|listed| listed == case)
            && self.roads.contains(&road.to_string())
            && (any_world || self.roads.iter().any(|listed| listed == world))
    }
}

fn table() -> Vec<Difference> {
    let text =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/diesel_cases/differences.txt")).unwrap();
    let mut table: Vec<Difference> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some((roads, gives)) = line.strip_prefix('[').and_then(|line| line.split_once("] ")) {
            let roads = roads.split(' ').map(str::to_owned).collect();
            table.push(Difference { roads, gives: gives.to_owned(), cases: Vec::new() });
        } else {
            table.last_mut().expect("a case below its difference").cases.push(line.to_owned());
        }
    }
    table
}

/// The part of what is seen that is listed for a case on a road.
pub(super) fn given(world: &str, road: Road, case: &str) -> Option<String> {
    table().into_iter().find(|difference| difference.is_of(world, road, case)).map(|difference| difference.gives)
}

/// The names in the table.
pub(super) fn listed() -> impl Iterator<Item = String> {
    table().into_iter().flat_map(|difference| difference.cases)
}
