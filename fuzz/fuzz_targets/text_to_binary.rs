#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((type_, rest)) = pgferry_fuzz::typed(data) else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    if let Err(error) = type_.text_to_binary(text, &mut Vec::new()) {
        assert!(error.to_string().len() < 1000, "an error shows little of the value");
    }
});
