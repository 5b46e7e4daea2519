use anyhow::Result;
use pgferry::codec::Type;

use super::ask::{Sample, literals};
use crate::{tcp::Connection, types::TypeEntry};

/// Says where the codec's forms of a value differ from the server's.
///
/// Some values Postgres itself does not read back from its own text: a name that several functions have, or a tsquery's
/// parentheses. There the measure is what it reads, and the text may be another that it reads as the value.
pub(super) fn compare(
    connection: &mut Connection,
    entry: &TypeEntry,
    conversion: &Type,
    sample: &Sample,
) -> Result<Vec<String>> {
    let Ok(text) = std::str::from_utf8(&sample.text) else {
        return Ok(vec![format!("the server's text is not UTF-8: {}", shown(&sample.text))]);
    };
    let (mut binary, mut out) = (Vec::new(), String::new());
    let to_binary = conversion.text_to_binary(text, &mut binary);
    let to_text = conversion.binary_to_text(&sample.binary, &mut out);
    if to_binary.is_ok() && binary == sample.binary && to_text.is_ok() && out == text {
        return Ok(Vec::new());
    }
    let mut reads =
        |text: &str| anyhow::Ok(literals(connection, entry, &[text.to_owned()])?.pop().map(|read| read.binary));
    let read = reads(text)?;
    let mut differences = Vec::new();
    match to_binary {
        Ok(()) if binary == sample.binary || read.as_deref() == Some(&binary) => {}
        Err(_) if read.is_none() => {}
        Ok(()) => differences.push(format!("{text:?} gives {}, not {}", shown(&binary), shown(&sample.binary))),
        Err(error) => differences.push(format!("{text:?} gives no binary form: {error}")),
    }
    match to_text {
        Ok(()) if out == text => {}
        Ok(()) if read.is_none() && reads(&out)?.as_ref() == Some(&sample.binary) => {}
        Ok(()) => differences.push(format!("{} gives {out:?}, not {text:?}", shown(&sample.binary))),
        Err(error) => differences.push(format!("{} gives no text {text:?}: {error}", shown(&sample.binary))),
    }
    Ok(differences)
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
