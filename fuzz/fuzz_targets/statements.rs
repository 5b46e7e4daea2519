#![no_main]

use libfuzzer_sys::fuzz_target;
use pgferry::sql::Dialect;

fuzz_target!(|text: &str| {
    for standard in [true, false] {
        let dialect = Dialect::new().standard_conforming_strings(standard);
        let mut end = 0;
        for range in dialect.split_ranges(text) {
            assert!(end <= range.start && range.start < range.end, "parts are in order and not empty");
            end = range.end;
            let part = text.get(range).expect("a part lies in the script");
            let effect = dialect.effect(part);
            assert!(!effect.needs_session() || effect.remedy().is_some(), "a refusal names its remedy");
            let _ = dialect.after(part);
            let _ = dialect.forbids_transaction_block(part);
            let _ = dialect.command_tag(part, "SELECT", Some(1));
        }
        assert_eq!(dialect.split(text).len(), dialect.split_ranges(text).len());
        let _ = (dialect.effect(text), dialect.after(text), dialect.highest_parameter(text));
    }
});
