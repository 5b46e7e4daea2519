#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((type_, binary)) = pgferry_fuzz::typed(data) else { return };
    if let Err(error) = type_.binary_to_text(binary, &mut String::new()) {
        assert!(error.to_string().len() < 1000, "an error shows little of the value");
    }
});
