//! The tables of the examples.

diesel::table! {
    use diesel::sql_types::{Integer, Text};
    use crate::sync::RigType;

    ferry_ships (id) {
        id -> Integer,
        name -> Text,
        rig -> RigType,
    }
}

diesel::table! {
    ferry_cargoes (id) {
        id -> Integer,
        ship_id -> Integer,
        goods -> Text,
        tons -> Integer,
    }
}

diesel::joinable!(ferry_cargoes -> ferry_ships (ship_id));
diesel::allow_tables_to_appear_in_same_query!(ferry_ships, ferry_cargoes);

diesel::table! {
    ferry_soundings (id) {
        id -> BigInt,
        place -> Text,
        fathoms -> Integer,
    }
}

diesel::table! {
    ferry_accounts (name) {
        name -> Text,
        balance -> BigInt,
    }
}

diesel::table! {
    ferry_berths (number) {
        number -> Integer,
        booked -> Bool,
    }
}
