use std::sync::Arc;

use bytes::Bytes;

use crate::{
    Oid,
    error::{Error, Result},
    execute::Statement,
    sql,
    wire::Format,
};

/// A statement that a client parsed, as far as anything can be known of it without asking the server.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) text: Arc<str>,
    pub(super) param_types: Vec<Oid>,
}

impl Prepared {
    /// The index of the first parameter whose type only the server could tell.
    fn undeclared(&self) -> Option<usize> {
        let undeclared = |index: &usize| self.param_types.get(*index).is_none_or(|oid| *oid == 0);
        (0..sql::highest_parameter(&self.text)).find(undeclared)
    }

    /// Refuses binary values of types that nobody has told.
    pub(super) fn check_declared(&self) -> Result<()> {
        match self.undeclared() {
            None => Ok(()),
            Some(index) => Err(Error::refused(format!(
                "the type of ${} was not declared, and over HTTP a statement cannot be prepared to learn it: prepare the statement with its \
                 types or run it without preparing, or use transport=websocket",
                index + 1
            ))),
        }
    }

    /// Binds parameters to it.
    pub(super) fn bind(
        &self,
        param_formats: &[Format],
        params: Vec<Option<Bytes>>,
        result_formats: &[Format],
    ) -> Result<Statement> {
        let param_format = uniform(param_formats, "parameters")?;
        if param_format == Format::Binary {
            self.check_declared()?;
        }
        Ok(Statement {
            text: Arc::clone(&self.text),
            name: None,
            param_types: self.param_types.clone(),
            params,
            param_format,
            results: uniform(result_formats, "columns")?,
        })
    }
}

/// What a client can execute.
#[derive(Debug)]
pub(super) enum Portal {
    /// Bound and not yet executed.
    Ready(Statement),
    /// Executed: its rows have all been given.
    Done,
}

/// The one format of a list as the protocol has it: none for text, one for all, or one each.
fn uniform(formats: &[Format], what: &str) -> Result<Format> {
    let Some((first, rest)) = formats.split_first() else { return Ok(Format::Text) };
    if rest.iter().all(|format| format == first) {
        return Ok(*first);
    }
    Err(Error::refused(format!(
        "{what} of one statement in both formats cannot be carried over HTTP: use transport=websocket"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_as_the_protocol_has_them() {
        assert_eq!(uniform(&[], "columns").unwrap(), Format::Text);
        assert_eq!(uniform(&[Format::Binary], "columns").unwrap(), Format::Binary);
        assert_eq!(uniform(&[Format::Text, Format::Text], "columns").unwrap(), Format::Text);
        assert!(uniform(&[Format::Text, Format::Binary], "columns").unwrap_err().is_refused());
    }

    #[test]
    fn a_binary_value_of_an_undeclared_type_is_refused() {
        let prepared = Prepared { text: "select $1".into(), param_types: vec![] };
        let value = || vec![Some(Bytes::from_static(b"1"))];
        assert!(prepared.bind(&[Format::Binary], value(), &[]).unwrap_err().is_refused());
        assert!(prepared.check_declared().unwrap_err().is_refused());
        assert!(prepared.bind(&[Format::Text], value(), &[]).is_ok());
    }
}
