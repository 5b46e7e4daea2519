use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{
    command::Command,
    http_road::{self, HttpRoad},
    inbox::Inbox,
    noted::Noted,
    wire_road::{self, WireRoad},
};
use crate::{
    config::{Config, Transport},
    error::Result,
    execute::HttpSession,
    runtime::Runtime,
    wire::{Notification, TransactionStatus},
};

/// The task that owns what carries a session.
pub(super) struct Driver {
    config: Config,
    runtime: Runtime,
    noted: Arc<Noted>,
    inbox: Inbox,
    notify: mpsc::UnboundedSender<Notification>,
}

enum Road {
    Http(Box<HttpRoad>),
    Wire(Box<WireRoad>),
}

impl Driver {
    pub(super) fn new(
        config: Config,
        runtime: Runtime,
        noted: Arc<Noted>,
        commands: mpsc::UnboundedReceiver<Command>,
        notify: mpsc::UnboundedSender<Notification>,
    ) -> Self {
        Self { config, runtime, noted, inbox: Inbox::new(commands), notify }
    }

    /// Opens the session, says how that went, and serves it to its end.
    pub(super) async fn run(mut self, opened: oneshot::Sender<Result<()>>) {
        match self.open().await {
            Ok((http, road)) => {
                // Whoever does not wait any more has dropped the session, whose end is then the next thing seen.
                let _ = opened.send(Ok(()));
                self.serve(http, road).await;
            }
            Err(error) => drop(opened.send(Err(error))),
        }
    }

    /// Opens what the configuration's transport begins with, and what it goes back to.
    async fn open(&self) -> Result<(Option<Box<HttpRoad>>, Road)> {
        let transport = self.config.resolve_transport()?;
        if transport == Transport::WebSocket {
            return Ok((None, Road::Wire(self.open_wire(None).await?)));
        }
        let session = HttpSession::new(&self.config, &self.runtime)?;
        session.server().await?;
        let road = Box::new(HttpRoad::new(session, transport == Transport::Auto));
        self.noted.set_road(Transport::Http, None);
        Ok(((transport == Transport::Auto).then(|| road.clone()), Road::Http(road)))
    }

    async fn open_wire(&self, http: Option<&HttpRoad>) -> Result<Box<WireRoad>> {
        let road = WireRoad::open(&self.config, http.map(HttpRoad::dialect)).await?;
        self.noted.set_road(Transport::WebSocket, road.key());
        Ok(Box::new(road))
    }

    async fn serve(&mut self, http: Option<Box<HttpRoad>>, mut road: Road) {
        loop {
            road = match road {
                Road::Http(carrier) => match carrier.serve(&mut self.inbox, &self.noted).await {
                    http_road::End::Over => return,
                    http_road::End::NeedsSession(work, replies) => match self.open_wire(Some(&carrier)).await {
                        Ok(wire) => {
                            self.inbox.put_back(Command::Run(work, replies));
                            Road::Wire(wire)
                        }
                        Err(error) => {
                            replies.end(Err(error), Some(TransactionStatus::Idle));
                            Road::Http(carrier)
                        }
                    },
                },
                Road::Wire(carrier) => match (carrier.serve(&mut self.inbox, &self.noted, &self.notify).await, &http) {
                    (wire_road::End::Idle, Some(http)) => {
                        self.noted.set_road(Transport::Http, None);
                        Road::Http(http.clone())
                    }
                    (wire_road::End::Lost, _) => {
                        self.noted.set_lost();
                        while let Some(command) = self.inbox.next().await {
                            command.refuse();
                        }
                        return;
                    }
                    _ => return,
                },
            };
        }
    }
}
