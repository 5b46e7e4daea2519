//! A typed statement in, binary rows out, whatever carries it.
//!
//! Over a WebSocket that is what Postgres's protocol does by itself. Over HTTP, where only text travels and no types do, the
//! parameters' types are fixed by a prologue and every value is converted ([`codec`](crate::codec)).

mod auto_session;
mod blocking;
mod catalogue;
mod conversion;
mod description;
mod first_request;
mod flight;
mod http_session;
mod lookup;
mod output;
mod prepared;
mod rows;
mod script;
mod server_info;
mod session;
mod shared;
mod statement;
mod wire_session;

pub use blocking::BlockingSession;
pub use conversion::Conversion;
pub(crate) use flight::event_of;
pub use http_session::HttpSession;
pub use output::{Event, Output};
pub use rows::Rows;
pub(crate) use script::Script;
pub use server_info::ServerInfo;
pub use session::Session;
pub use shared::{Answers, CancelToken, Carrier, Demands, SharedSession};
pub use statement::Statement;
pub use wire_session::{Opening, WireClient, WireSession, cancel, open, open_on};
pub(crate) use wire_session::{open_ahead, settings};
