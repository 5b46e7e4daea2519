use std::collections::HashMap;

use super::Reason;
use crate::Oid;

/// What the values of `regclass`, `regproc` and the like print as, and which objects these texts stand for.
///
/// Both depend on the database and on its `search_path`: the rows are to be read under the settings under which the values are.
///
/// # Example
///
/// ```
/// use pgferry::codec::RegNames;
///
/// let names = RegNames::new([(2205, 16384, "users".to_owned()), (24, 870, "lower".to_owned()), (24, 871, "lower".to_owned())]);
/// assert_eq!(names.text(2205, 16384), Some("users"));
/// assert_eq!(names.oid(2205, "users"), Some(16384));
/// // Of two functions of a name, the text does not say which.
/// assert_eq!(names.oid(24, "lower"), None);
/// assert!(names.is_ambiguous(24, "lower"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct RegNames(HashMap<Oid, Names>);

#[derive(Clone, Debug, Default)]
struct Names {
    texts: HashMap<Oid, Box<str>>,
    /// `None` where several objects have the text.
    oids: HashMap<Box<str>, Option<Oid>>,
}

impl RegNames {
    /// Takes the rows: the OID of the type (2205 for `regclass`), the OID of the object, and what the type prints it as.
    pub fn new(rows: impl IntoIterator<Item = (Oid, Oid, String)>) -> Self {
        let mut types: HashMap<Oid, Names> = HashMap::new();
        for (type_oid, oid, text) in rows {
            let names = types.entry(type_oid).or_default();
            let text = text.into_boxed_str();
            names.texts.insert(oid, text.clone());
            names
                .oids
                .entry(text)
                .and_modify(|known| *known = known.filter(|&known| known == oid))
                .or_insert(Some(oid));
        }
        Self(types)
    }

    /// Returns what the type prints the object as.
    pub fn text(&self, type_oid: Oid, oid: Oid) -> Option<&str> {
        self.0.get(&type_oid)?.texts.get(&oid).map(AsRef::as_ref)
    }

    /// Returns the object that the text stands for, if it stands for one only.
    pub fn oid(&self, type_oid: Oid, text: &str) -> Option<Oid> {
        self.0.get(&type_oid)?.oids.get(text).copied().flatten()
    }

    /// Returns whether the text stands for several objects, as those of overloaded functions do in `regproc`.
    pub fn is_ambiguous(&self, type_oid: Oid, text: &str) -> bool {
        self.0.get(&type_oid).and_then(|names| names.oids.get(text)) == Some(&None)
    }
}

/// Why the text of a name has no binary form; the names may be too old.
pub(super) const UNKNOWN_NAME: Reason = "a name that the loaded names do not have";

/// Whether values of the type are objects' names.
pub(super) fn is_reg(oid: Oid) -> bool {
    // regproc; regprocedure, regoper, regoperator, regclass, regtype; regconfig, regdictionary, regnamespace, regrole, regcollation
    matches!(oid, 24 | 2202..=2206 | 3734 | 3769 | 4089 | 4096 | 4191)
}

/// What stands for no object: a hyphen is an operator's name.
fn none(type_oid: Oid) -> &'static str {
    if matches!(type_oid, 2203 | 2204) { "0" } else { "-" }
}

pub(super) fn text_to_binary(text: &str, type_oid: Oid, names: &RegNames, out: &mut Vec<u8>) -> Result<(), Reason> {
    let oid = if text == none(type_oid) {
        0
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_err(|_| "not a whole number in its range")?
    } else if names.is_ambiguous(type_oid, text) {
        return Err(
            "a name that several have: cast the value to oid, or to regprocedure or regoperator, which name one",
        );
    } else {
        names.oid(type_oid, text).ok_or(UNKNOWN_NAME)?
    };
    out.extend_from_slice(&oid.to_be_bytes());
    Ok(())
}

pub(super) fn binary_to_text(binary: &[u8], type_oid: Oid, names: &RegNames, out: &mut String) -> Result<(), Reason> {
    let oid = u32::from_be_bytes(super::reader::whole(binary)?);
    match names.text(type_oid, oid) {
        _ if oid == 0 => out.push_str(none(type_oid)),
        Some(text) if !names.is_ambiguous(type_oid, text) => out.push_str(text),
        // Postgres reads the number as well.
        _ => out.push_str(&oid.to_string()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{RegNames, binary_to_text, text_to_binary};

    const REGCLASS: u32 = 2205;
    const REGPROC: u32 = 24;
    const REGOPER: u32 = 2203;

    #[test]
    fn names_stand_for_their_objects() {
        let names = RegNames::new([
            (REGCLASS, 1259, "pg_class".to_owned()),
            (REGCLASS, 1259, "pg_class".to_owned()),
            (REGPROC, 1, "f".to_owned()),
            (REGPROC, 2, "f".to_owned()),
            (REGPROC, 2, "f".to_owned()),
        ]);
        let binary = |text: &str, type_oid| {
            let mut out = Vec::new();
            text_to_binary(text, type_oid, &names, &mut out).map(|()| out)
        };
        assert_eq!(binary("pg_class", REGCLASS).unwrap(), 1259_u32.to_be_bytes());
        assert_eq!(binary("-", REGCLASS).unwrap(), [0; 4]);
        assert_eq!(binary("4294967295", REGCLASS).unwrap(), [255; 4]);
        assert!(binary("4294967296", REGCLASS).is_err());
        assert!(binary("", REGCLASS).is_err());
        assert!(binary("pg_class", REGPROC).is_err());
        assert!(binary("f", REGPROC).unwrap_err().contains("several"));

        let mut text = String::new();
        binary_to_text(&1259_u32.to_be_bytes(), REGCLASS, &names, &mut text).unwrap();
        binary_to_text(&7_u32.to_be_bytes(), REGCLASS, &names, &mut text).unwrap();
        binary_to_text(&[0; 4], REGCLASS, &names, &mut text).unwrap();
        assert_eq!(text, "pg_class7-");
        // Postgres could not read the shared name, nor a hyphen as no operator.
        let mut text = String::new();
        binary_to_text(&1_u32.to_be_bytes(), REGPROC, &names, &mut text).unwrap();
        binary_to_text(&[0; 4], REGOPER, &names, &mut text).unwrap();
        assert_eq!(text, "10");
        assert_eq!(binary("0", REGOPER).unwrap(), [0; 4]);
        assert!(binary("-", REGOPER).is_err());
    }
}
