use crate::sql;

/// What a text does to more than its own result, as far as it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effects {
    /// Something of it outlives its transaction in the session.
    pub(super) outlive_transaction: bool,
    /// Types may be others afterwards.
    pub(super) change_types: bool,
    /// Names may mean other types afterwards.
    pub(super) move_names: bool,
    /// It leaves the session as a new one is.
    pub(super) discard_all: bool,
}

impl Effects {
    /// Those of a text that was not seen: all that are to be reckoned with.
    pub(super) const UNKNOWN: Self =
        Self { outlive_transaction: true, change_types: true, move_names: true, discard_all: false };

    pub(super) fn of(text: &str) -> Self {
        Self {
            outlive_transaction: sql::leaves_session_state(text),
            change_types: sql::changes_types(text),
            move_names: sql::may_move_names(text),
            discard_all: sql::discards_all(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_by_the_text() {
        let seen = |text| {
            let Effects { outlive_transaction, change_types, move_names, discard_all } = Effects::of(text);
            (outlive_transaction, change_types, move_names, discard_all)
        };
        assert_eq!(seen("set a = 1"), (true, false, false, false));
        assert_eq!(seen("set local search_path = a"), (false, false, true, false));
        assert_eq!(seen("create type a as enum ()"), (false, true, false, false));
        assert_eq!(seen("discard all"), (false, false, true, true));
        assert_eq!(seen("select 1"), (false, false, false, false));
    }
}
