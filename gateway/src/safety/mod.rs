//! Who may talk to the gateway: a page in a browser must not be able to reach a developer's database.

mod cors;
mod hosts;
mod origins;

pub(crate) use hosts::Hosts;
pub(crate) use origins::Origins;
