use crate::sql;

/// What a text does to more than its own result, as far as it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effects {
    /// Something of it outlives its transaction in the session.
    pub(super) outlive_transaction: bool,
    /// Types may be others afterwards.
    pub(super) change_types: bool,
    /// It leaves the session as a new one is.
    pub(super) discard_all: bool,
}

impl Effects {
    /// Those of a text that was not seen: all that are to be reckoned with.
    pub(super) const UNKNOWN: Self = Self { outlive_transaction: true, change_types: true, discard_all: false };

    pub(super) fn of(text: &str) -> Self {
        Self {
            outlive_transaction: sql::leaves_session_state(text),
            change_types: sql::changes_types(text),
            discard_all: sql::discards_all(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_by_the_text() {
        assert_eq!(
            ["set a = 1", "create type a as enum ()", "discard all", "select 1"].map(Effects::of),
            [(true, false, false), (false, true, false), (false, false, true), (false, false, false)].map(
                |(outlive_transaction, change_types, discard_all)| Effects {
                    outlive_transaction,
                    change_types,
                    discard_all
                }
            )
        );
    }
}
