use pgferry::codec::Type;

use super::ask::Sample;

/// Says where the codec's forms of a value differ from the server's.
pub(super) fn compare(conversion: &Type, sample: &Sample) -> Vec<String> {
    let mut differences = Vec::new();
    let Ok(text) = std::str::from_utf8(&sample.text) else {
        return vec![format!("the server's text is not UTF-8: {}", shown(&sample.text))];
    };
    let mut binary = Vec::new();
    match conversion.text_to_binary(text, &mut binary) {
        Ok(()) if binary == sample.binary => {}
        Ok(()) => differences.push(format!("{text:?} gives {}, not {}", shown(&binary), shown(&sample.binary))),
        Err(error) => differences.push(format!("{text:?} gives no binary form: {error}")),
    }
    let mut out = String::new();
    match conversion.binary_to_text(&sample.binary, &mut out) {
        Ok(()) if out == text => {}
        Ok(()) => differences.push(format!("{} gives {out:?}, not {text:?}", shown(&sample.binary))),
        Err(error) => differences.push(format!("{} gives no text {text:?}: {error}", shown(&sample.binary))),
    }
    differences
}

/// At most so many bytes in hexadecimal.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 160;
    let mut text: String = bytes.iter().take(MOST).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > MOST {
        text.push('…');
    }
    text
}
