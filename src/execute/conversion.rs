use crate::{
    codec,
    error::{Error, Outcome, Result},
    http::RawRow,
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
#[derive(Debug)]
pub struct Conversion {
    columns: Columns,
    builder: DataRowBuilder,
}

#[derive(Debug)]
enum Columns {
    /// Postgres's own text is what is wanted.
    Text(usize),
    /// One conversion a column.
    Binary(Vec<codec::Type>),
}

impl Conversion {
    /// Makes the conversion of so many columns that stay Postgres's text.
    ///
    /// # Errors
    ///
    /// When there are more than 65535 columns.
    pub fn text(columns: usize) -> Result<Self> {
        Ok(Self { columns: Columns::Text(columns), builder: DataRowBuilder::new(columns)? })
    }

    /// Makes the conversion of columns of these types to their binary forms.
    ///
    /// # Errors
    ///
    /// When there are more than 65535 columns.
    pub fn binary(types: impl IntoIterator<Item = codec::Type>) -> Result<Self> {
        let types: Vec<_> = types.into_iter().collect();
        let builder = DataRowBuilder::new(types.len())?;
        Ok(Self { columns: Columns::Binary(types), builder })
    }

    /// Converts a row. A row that failed can be converted again, by another conversion.
    ///
    /// # Errors
    ///
    /// * A value is not of its column's type; the error names the column.
    /// * The row has another number of values than there are columns, or one that is no text, which is a fault of the
    ///   server's.
    pub fn convert(&mut self, row: &RawRow) -> Result<DataRow> {
        let expected = match &self.columns {
            Columns::Text(count) => *count,
            Columns::Binary(types) => types.len(),
        };
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
        match &self.columns {
            Columns::Text(_) => {
                for value in row.values() {
                    push(&mut self.builder, value?.as_deref(), |text, out| {
                        out.extend_from_slice(text.as_bytes());
                        Ok(())
                    })?;
                }
            }
            Columns::Binary(types) => {
                for (index, (value, type_)) in row.values().zip(types).enumerate() {
                    push(&mut self.builder, value?.as_deref(), |text, out| {
                        type_.text_to_binary(text, out).map_err(|error| {
                            Error::value(format!("column {} of the result: {error}", index + 1), Outcome::Unknown)
                        })
                    })?;
                }
            }
        }
        self.builder.take()
    }
}

fn push(
    builder: &mut DataRowBuilder,
    value: Option<&str>,
    write: impl FnOnce(&str, &mut Vec<u8>) -> Result<()>,
) -> Result<()> {
    match value {
        Some(text) => builder.push(|out| write(text, out)),
        None => {
            builder.push_null();
            Ok(())
        }
    }
}
