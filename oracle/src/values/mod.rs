//! Values of every type: the server gives both forms, and each must be made from the other by the codec, byte for byte.

mod ask;
mod compare;
mod coverage;
mod damage;
mod meaning;
mod run;

pub(crate) use ask::Sample;
pub(crate) use compare::shown;
pub(crate) use run::{Plan, run};
