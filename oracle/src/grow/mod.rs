//! Values for every type, as text: those that hurt, and random ones, the nested made of what the server has accepted of their
//! parts.

mod expression;
mod extension;
mod geometry;
mod literal;
mod moment;
mod nasty;
mod nested;
mod network;
mod number;
mod pools;
mod scalar;
mod search;
mod text;

pub(crate) use expression::expressions;
pub(crate) use nested::nested;
pub(crate) use pools::Pools;
pub(crate) use scalar::scalar;
