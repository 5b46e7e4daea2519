//! The programs, as they are started with no argument.

use std::process::Command;

#[track_caller]
fn prints(program: &str, expected: &[&str]) {
    let output = Command::new(program).env_remove("DATABASE_URL").output().expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_connection_that_blocks() {
    prints(
        env!("CARGO_BIN_EXE_sync"),
        &[
            "Dover, a Ketch: 3 t of apples, 5 t of pears",
            "Gent, a Sloop: 40 t of coal",
            "sloops: 1 cargo, 40 t",
            "moved 2, taken back: 2 are where they were",
        ],
    );
}

#[test]
fn a_pool() {
    prints(
        env!("CARGO_BIN_EXE_pool"),
        &[
            "Dogger: 19900 fathoms in all",
            "Fisher: 19900 fathoms in all",
            "Viking: 19900 fathoms in all",
            "30 soundings of less than 10 fathoms",
        ],
    );
}

#[test]
fn a_batch() {
    prints(
        env!("CARGO_BIN_EXE_batch"),
        &[
            "ann has 70",
            "bob has 50",
            "bob pays 1000: new row for relation \"ferry_accounts\" violates check constraint \"ferry_accounts_balance_check\"",
            "ann still has 70",
        ],
    );
}

#[test]
fn migrations_at_start_up() {
    prints(
        env!("CARGO_BIN_EXE_migrations"),
        &["applied 20240501000000", "applied 20240502000000", "10 berths are free"],
    );
}
