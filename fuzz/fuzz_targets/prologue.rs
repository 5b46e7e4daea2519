#![no_main]

use libfuzzer_sys::fuzz_target;
use pgferry::sql::{Dialect, Typed};

const OIDS: [u32; 8] = [0, 16, 20, 23, 25, 1009, 1184, 999_999];

fuzz_target!(|data: (u8, u8, bool, &str)| {
    let (first, second, standard, text) = data;
    let dialect = Dialect::new().standard_conforming_strings(standard);
    let types = [first, second].map(|choice| OIDS[usize::from(choice) % OIDS.len()]);
    for types in [&types[..], &types[..1], &[]] {
        if let Ok(typed) = dialect.typed(text, types) {
            check(&typed, text, types);
            if typed.has_prologue() {
                let start =
                    (0..=typed.text.len()).find(|at| typed.text.get(..*at) != text.get(..*at)).unwrap_or_default();
                let end = text.len() - start;
                assert!(typed.text.ends_with(&text[text.len() - end..]), "{text:?} became {:?}", typed.text);
            }
        }
        if let Ok(typed) = dialect.typed_in_place(text, types) {
            check(&typed, text, types);
        }
    }
});

fn check(typed: &Typed<'_>, text: &str, types: &[u32]) {
    let length = text.chars().count();
    let mut last = 0;
    for at in 1..=typed.text.chars().count() {
        let Some(position) = typed.position(u32::try_from(at).unwrap()) else { continue };
        let position = usize::try_from(position).unwrap();
        assert!((1..=length).contains(&position), "{at} of {:?} is {position} of {text:?}", typed.text);
        assert!(position >= last, "positions keep their order");
        last = position;
    }
    assert!(typed.position(0).is_none());
    let _ = typed.position(u32::MAX);
    for parameter in 0..types.len() + 1 {
        let _ = typed.sends(parameter);
    }
}
