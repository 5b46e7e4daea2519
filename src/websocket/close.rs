use std::{error, fmt};

use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Why a peer closed the WebSocket: the status code and the text of its Close frame (RFC 6455, section 7.4).
///
/// A stream that was closed with anything but 1000, 1001 or no code fails with an [`std::io::Error`] whose inner error
/// is this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    code: Option<u16>,
    reason: String,
}

impl Close {
    pub(super) fn from_frame(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self { code: Some(frame.code.into()), reason: frame.reason.as_str().to_owned() },
            None => Self { code: None, reason: String::new() },
        }
    }

    /// Returns the status code, if the frame had one.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        self.code
    }

    /// Returns the text that came with the code; often empty.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns whether the peer was simply done (1000, no code) or is going away (1001).
    #[must_use]
    pub fn is_normal(&self) -> bool {
        matches!(self.code, None | Some(1000 | 1001))
    }
}

impl fmt::Display for Close {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the peer closed the WebSocket")?;
        if let Some(code) = self.code {
            write!(f, " with code {code}")?;
        }
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason.escape_debug())?;
        }
        Ok(())
    }
}

impl error::Error for Close {}
