use std::{future::Future, pin::Pin};

use super::ground::Ground;

/// What a case observed, as text that can be compared; an error that a case does not expect is an observation too.
pub(super) type Seen = sqlx::Result<String>;

/// A small program on sqlx, which knows nothing of the road that it is on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: fn(Ground) -> Pin<Box<dyn Future<Output = Seen> + Send>>,
}

/// Makes a table of cases out of functions' names.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        &[$($crate::sqlx::cases::case::Case { name: stringify!($name), run: |ground| Box::pin($name(ground)) }),*]
    };
}

pub(super) use cases;
