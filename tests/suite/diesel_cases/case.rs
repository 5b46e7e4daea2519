use diesel::QueryResult;
use futures_util::future::LocalBoxFuture;

use super::ground::Ground;

/// What a case observed, as text that can be compared; an error that a case does not expect is an observation too.
pub(super) type Seen = QueryResult<String>;

/// A small program on diesel, which knows nothing of the road that it is on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: fn(&Ground) -> LocalBoxFuture<'_, Seen>,
}

/// Makes a table of cases out of functions' names; each is given a connection of its own.
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        &[$($crate::diesel_cases::case::Case {
            name: stringify!($name),
            run: |ground| {
                Box::pin(async move {
                    let mut connection = super::world::establish::<super::Conn>(ground).await;
                    $name(&mut connection, ground).await
                })
            },
        }),*]
    };
}

pub(super) use cases;
