use std::{borrow::Cow, fmt};

use crate::Oid;

/// A statement whose text fixes the types of its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed<'a> {
    /// The text to send.
    pub text: Cow<'a, str>,
    /// Where it differs from the user's text, in order.
    edits: Vec<Edit>,
    /// The parameters, from 0, that are not to be sent, in order.
    unsent: Vec<usize>,
    prologue: bool,
}

/// What was put in, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    /// Where it begins, from 0.
    pub(super) at: usize,
    pub(super) length: usize,
    /// The length of what stood there, which it means; 0 if it means nothing of the user's.
    pub(super) replaced: usize,
}

impl<'a> Typed<'a> {
    pub(super) fn untouched(text: &'a str) -> Self {
        Self::without(text, Vec::new())
    }

    pub(super) fn without(text: &'a str, unsent: Vec<usize>) -> Self {
        Self { text: Cow::Borrowed(text), edits: Vec::new(), unsent, prologue: false }
    }

    pub(super) fn with_prologue(text: String, edit: Edit) -> Self {
        Self { text: Cow::Owned(text), edits: vec![edit], unsent: Vec::new(), prologue: true }
    }

    pub(super) fn in_place(text: String, edits: Vec<Edit>, unsent: Vec<usize>) -> Self {
        Self { text: Cow::Owned(text), edits, unsent, prologue: false }
    }

    /// Returns whether the types stand in a WITH, which Postgres refuses with 0A000 for a table whose rules make several
    /// queries of one; [`typed_in_place`](super::typed_in_place) then does.
    #[must_use]
    pub fn has_prologue(&self) -> bool {
        self.prologue
    }

    /// Returns whether a parameter, counted from 0, is to be sent with the text.
    ///
    /// A client may declare more parameters than a statement uses, and Postgres takes values for them. Where nothing in the text
    /// can declare them, a value too many would be an error (08P01), so these stay out: `SET` takes none at all.
    ///
    /// # Example
    ///
    /// ```
    /// let typed = pgferry::sql::typed("call p($2)", &[23, 25])?;
    /// assert_eq!(typed.text, "call p($1::pg_catalog.text)");
    /// assert!(!typed.sends(0) && typed.sends(1));
    /// # Ok::<(), pgferry::sql::Error>(())
    /// ```
    #[must_use]
    pub fn sends(&self, parameter: usize) -> bool {
        self.unsent.binary_search(&parameter).is_err()
    }

    /// Maps the position of an error, in characters of [`text`](Self::text) from 1 as Postgres counts, to the user's own text.
    ///
    /// A position in a cast is that of the parameter; `None` for one in a prologue.
    #[must_use]
    pub fn position(&self, position: u32) -> Option<u32> {
        let at = usize::try_from(position).ok()?.checked_sub(1)?;
        let (mut added, mut removed) = (0, 0);
        for edit in &self.edits {
            if at < edit.at {
                break;
            }
            if at < edit.at + edit.length {
                let here = (edit.at + removed).checked_sub(added).filter(|_| edit.replaced > 0)?;
                return u32::try_from(here + 1).ok();
            }
            added += edit.length;
            removed += edit.replaced;
        }
        u32::try_from((at + removed).checked_sub(added)? + 1).ok()
    }
}

/// Why the parameters of a statement could not be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub(super) parameter: usize,
    pub(super) oid: Oid,
}

impl Error {
    /// Returns the number of the parameter, from 1.
    #[must_use]
    pub fn parameter(&self) -> usize {
        self.parameter
    }

    /// Returns the OID of the type that has no name here.
    #[must_use]
    pub fn type_oid(&self) -> Oid {
        self.oid
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameter, oid } = self;
        write!(
            formatter,
            "the type of parameter ${parameter} has the OID {oid}, whose name pgferry does not know: cast the parameter in the statement and leave \
             its type undeclared, or use transport=websocket"
        )
    }
}

impl std::error::Error for Error {}
