//! Tries of a transport, and what each phase of them took.

pub(super) mod http;
mod observed;
mod sample;
pub(super) mod websocket;

pub(super) use sample::{Facts, Failure, Sample, Timed};
