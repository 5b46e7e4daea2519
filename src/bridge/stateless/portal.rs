use std::sync::Arc;

use bytes::Bytes;

use crate::{
    bridge::statement::Prepared,
    error::{Error, Result},
    execute::Statement,
    wire::Format,
};

impl Prepared {
    /// Binds parameters to it, for a request.
    pub(super) fn bind(
        &self,
        param_formats: &[Format],
        params: Vec<Option<Bytes>>,
        result_formats: &[Format],
    ) -> Result<Statement> {
        Ok(Statement {
            text: Arc::clone(&self.text),
            name: None,
            param_types: self.param_types.clone(),
            params,
            param_format: uniform(param_formats, "parameters")?,
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
}
