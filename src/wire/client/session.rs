use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
};

use postgres_protocol::message::backend::Message;

use super::error_fields;
use crate::{
    error::DbError,
    wire::{BackendKey, TransactionStatus},
};

/// How many of each are kept until they are taken; a server that sends more than is listened to must not fill the memory.
const MAX_NOTICES: usize = 256;
const MAX_NOTIFICATIONS: usize = 4096;
const MAX_PARAMETERS: usize = 1024;

/// What NOTIFY sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// The process of the session that sent it.
    pub process_id: i32,
    /// The channel that was listened to.
    pub channel: String,
    /// What was sent with it, empty where nothing was.
    pub payload: String,
}

/// What the server has told of the session.
pub(super) struct Session {
    pub(super) parameters: BTreeMap<String, String>,
    pub(super) key: Option<BackendKey>,
    pub(super) status: TransactionStatus,
    pub(super) notices: VecDeque<DbError>,
    pub(super) notifications: VecDeque<Notification>,
}

impl Session {
    pub(super) fn new() -> Self {
        Self {
            parameters: BTreeMap::new(),
            key: None,
            status: TransactionStatus::Idle,
            notices: VecDeque::new(),
            notifications: VecDeque::new(),
        }
    }

    /// Keeps what may come at any time (manual, section 55.2.7); gives any other message back.
    pub(super) fn absorb(&mut self, message: Message) -> Result<(), Message> {
        match message {
            Message::ParameterStatus(body) => {
                // Text that is not UTF-8, under another client_encoding, is of no use here.
                if let (Ok(name), Ok(value)) = (body.name(), body.value())
                    && (self.parameters.len() < MAX_PARAMETERS || self.parameters.contains_key(name))
                {
                    self.parameters.insert(name.to_owned(), value.to_owned());
                }
            }
            Message::NoticeResponse(body) => push(&mut self.notices, error_fields::read(body.fields()), MAX_NOTICES),
            Message::NotificationResponse(body) => {
                if let (Ok(channel), Ok(payload)) = (body.channel(), body.message()) {
                    let (channel, payload) = (channel.to_owned(), payload.to_owned());
                    let notification = Notification { process_id: body.process_id(), channel, payload };
                    push(&mut self.notifications, notification, MAX_NOTIFICATIONS);
                }
            }
            other => return Err(other),
        }
        Ok(())
    }
}

fn push<T>(queue: &mut VecDeque<T>, item: T, max: usize) {
    if queue.len() >= max {
        queue.pop_front();
    }
    queue.push_back(item);
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { parameters, key, status, notices, notifications } = self;
        f.debug_struct("Session")
            .field("parameters", parameters)
            .field("key", key)
            .field("status", status)
            .field("notices", &notices.len())
            .field("notifications", &notifications.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_dropped() {
        let mut queue = VecDeque::new();
        for item in 0..5 {
            push(&mut queue, item, 3);
        }
        assert_eq!(queue, [2, 3, 4]);
    }
}
