//! A typed statement in, binary rows out, whatever carries it.
//!
//! Over a WebSocket that is what Postgres's protocol does by itself. Over HTTP, where only text travels and no types do, the
//! parameters' types are fixed by a prologue and every value is converted ([`codec`](crate::codec)).

mod blocking;
mod catalogue;
mod conversion;
mod culprit;
mod description;
mod first_request;
mod flight;
mod http_session;
mod lookup;
mod open;
mod output;
mod prepared;
mod reads;
mod rows;
mod script;
mod server_info;
mod session;
mod statement;

pub use blocking::BlockingSession;
pub use conversion::Conversion;
pub(crate) use culprit::culprit;
pub(crate) use flight::event_of;
pub use http_session::HttpSession;
pub use open::{Opening, WireClient, cancel, open, open_on};
pub(crate) use open::{open_ahead, settings};
pub use output::{Event, Output};
pub use rows::Rows;
pub(crate) use script::Script;
pub use server_info::ServerInfo;
pub use session::{Answers, CancelToken, Carrier, Demands, Session};
pub use statement::Statement;
