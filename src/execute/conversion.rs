use std::fmt;

use crate::{
    codec,
    error::{Error, Outcome, Result},
    http::{RawRow, wire::RawText},
    wire::{DataRow, DataRowBuilder},
};

/// How the rows of one result become those of Postgres's protocol: Postgres's text of each value in, its binary form out.
///
/// It has no I/O, and rows share their allocations: a small row keeps a few KiB alive, a large one itself.
///
/// # Example
///
/// ```
/// use pgferry::{codec, execute::Conversion, http::wire::{Event, ResponseDecoder}};
///
/// let mut decoder = ResponseDecoder::new();
/// decoder.push(br#"{"fields":[{"name":"n","dataTypeID":21}],"rows":[["7"],[null]"#.as_slice().into());
/// let Some(Event::Fields(fields)) = decoder.next()? else { panic!("no fields") };
/// let mut conversion = Conversion::binary(fields.iter().filter_map(|field| codec::Type::builtin(field.type_oid)))?;
/// for expected in [Some(&[0, 7][..]), None] {
///     let Some(Event::Row(row)) = decoder.next()? else { panic!("no row") };
///     assert_eq!(conversion.convert(&row)?.values().collect::<Vec<_>>(), [expected]);
/// }
/// # Ok::<(), pgferry::Error>(())
/// ```
pub struct Conversion {
    columns: Columns,
    builder: DataRowBuilder,
    /// A value without its escapes.
    scratch: String,
}

enum Columns {
    /// Postgres's own text is what is wanted.
    Text(usize),
    Binary(Vec<Column>),
}

impl Columns {
    fn len(&self) -> usize {
        match self {
            Self::Text(count) => *count,
            Self::Binary(columns) => columns.len(),
        }
    }
}

/// How the values of one column are converted.
struct Column {
    type_: codec::Type,
    /// For a type whose binary form is its text with this before it.
    prefix: Option<&'static [u8]>,
}

/// How large `scratch` may stay between two rows, in bytes.
const SCRATCH: usize = 64 * 1024;

impl Conversion {
    /// Makes the conversion of so many columns that stay Postgres's text.
    ///
    /// # Errors
    ///
    /// When there are more than 65535 columns.
    pub fn text(columns: usize) -> Result<Self> {
        Self::new(columns, Columns::Text(columns))
    }

    /// Makes the conversion of columns of these types to their binary forms.
    ///
    /// # Errors
    ///
    /// When there are more than 65535 columns.
    pub fn binary(types: impl IntoIterator<Item = codec::Type>) -> Result<Self> {
        let columns: Vec<_> = types.into_iter().map(|type_| Column { prefix: type_.text_prefix(), type_ }).collect();
        Self::new(columns.len(), Columns::Binary(columns))
    }

    fn new(count: usize, columns: Columns) -> Result<Self> {
        Ok(Self { columns, builder: DataRowBuilder::new(count)?, scratch: String::new() })
    }

    /// Converts a row. A row that failed can be converted again, by another conversion.
    ///
    /// # Errors
    ///
    /// * A value is not of its column's type; the error names the column.
    /// * The row has another number of values than there are columns, or one that is no text, which is a fault of the
    ///   server's.
    pub fn convert(&mut self, row: &RawRow) -> Result<DataRow> {
        let expected = self.columns.len();
        if row.len() != expected {
            return Err(Error::protocol(
                format!(
                    "the response over HTTP makes no sense: a row of {} values came for {expected} columns",
                    row.len()
                ),
                Outcome::Unknown,
            ));
        }
        self.builder.restart(row.size());
        let texts = row.texts()?;
        match &self.columns {
            Columns::Text(_) => {
                for text in texts {
                    push(&mut self.builder, text, |text, out| text.append_to(out))?;
                }
            }
            Columns::Binary(columns) => {
                for (index, (text, column)) in texts.zip(columns).enumerate() {
                    push(&mut self.builder, text, |text, out| {
                        if let Some(prefix) = column.prefix {
                            out.extend_from_slice(prefix);
                            return text.append_to(out);
                        }
                        column.type_.text_to_binary(text.read(&mut self.scratch)?, out).map_err(|error| {
                            Error::value(format!("column {} of the result: {error}", index + 1), Outcome::Unknown)
                        })
                    })?;
                }
            }
        }
        if self.scratch.capacity() > SCRATCH {
            self.scratch = String::new();
        }
        self.builder.take()
    }
}

/// Shows how many columns there are: the values on the way are the user's.
impl fmt::Debug for Conversion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { columns, builder: _, scratch: _ } = self;
        f.debug_struct("Conversion").field("columns", &columns.len()).finish()
    }
}

fn push(
    builder: &mut DataRowBuilder,
    text: Option<RawText<'_>>,
    write: impl FnOnce(RawText<'_>, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    match text {
        Some(text) => builder.push(|out| write(text, out)),
        None => {
            builder.push_null();
            Ok(())
        }
    }
}
