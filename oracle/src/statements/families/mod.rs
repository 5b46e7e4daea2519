//! The statements, by family.

mod aggregates;
mod arrays;
mod commands;
mod errors;
mod functions;
mod json;
mod matrix;
mod numbers;
mod operators;
mod parameters;
mod queries;
mod ranges;
mod refused;
mod texts;
mod user_types;
mod writes;

use super::case::Case;

/// Returns the statements that a server of this major version knows.
pub(super) fn all(major: u32) -> Vec<Case> {
    let families = [
        parameters::cases(),
        matrix::cases(),
        operators::cases(),
        numbers::cases(),
        functions::cases(),
        aggregates::cases(),
        arrays::cases(),
        json::cases(major),
        ranges::cases(),
        user_types::cases(),
        queries::cases(),
        writes::cases(major),
        commands::cases(),
        texts::cases(),
        errors::cases(),
        refused::cases(),
    ];
    families.concat()
}
