use std::fmt;

use crate::error::Error;

/// Where a value came from, for errors that name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// A setter, or `param` called by the user.
    Code,
    /// A part of a URL (its host, say), with the variable that holds the URL.
    UrlPart(Option<&'static str>),
    /// A parameter of a URL, with the variable that holds the URL.
    UrlParameter(Option<&'static str>),
    /// A variable of the environment.
    Variable(&'static str),
}

impl Source {
    /// Returns an error about the value of `key` that begins with where it came from.
    pub(super) fn error(&self, key: &str, message: impl fmt::Display) -> Error {
        Error::config(format!("{}: {message}", self.name(key)))
    }

    /// Returns an error from another's message and source.
    pub(super) fn wrap(&self, key: &str, error: Error) -> Error {
        error.within(self.name(key))
    }

    /// Returns the source in words, with the key's own name.
    pub(super) fn name(&self, key: &str) -> String {
        match self {
            Self::Code => format!("the setting `{key}`"),
            Self::UrlPart(None) => format!("the URL's {key}"),
            Self::UrlPart(Some(variable)) => format!("{variable}, the URL's {key}"),
            Self::UrlParameter(None) => format!("the URL's parameter `{key}`"),
            Self::UrlParameter(Some(variable)) => format!("{variable}, the URL's parameter `{key}`"),
            Self::Variable(variable) => (*variable).to_owned(),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => f.write_str("code"),
            Self::UrlPart(variable) | Self::UrlParameter(variable) => f.write_str(variable.unwrap_or("URL")),
            Self::Variable(variable) => f.write_str(variable),
        }
    }
}
