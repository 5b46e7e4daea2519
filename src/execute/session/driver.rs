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
    wire::Notification,
};

/// The task that owns what carries a session.
pub(super) struct Driver {
    opener: Opener,
    inbox: Inbox,
    notify: mpsc::UnboundedSender<Notification>,
}

/// What opens the roads.
struct Opener {
    config: Config,
    runtime: Runtime,
    noted: Arc<Noted>,
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
        Self { opener: Opener { config, runtime, noted }, inbox: Inbox::new(commands), notify }
    }

    /// Opens the session, says how that went, and serves it to its end.
    pub(super) async fn run(mut self, opened: oneshot::Sender<Result<()>>) {
        match self.opener.open().await {
            Ok((http, road)) => {
                // Whoever does not wait any more has dropped the session, whose end is then the next thing seen.
                let _ = opened.send(Ok(()));
                self.serve(http, road).await;
            }
            Err(error) => drop(opened.send(Err(error))),
        }
    }

    async fn serve(&mut self, http: Option<Box<HttpRoad>>, mut road: Road) {
        loop {
            road = match road {
                Road::Http(carrier) => match carrier.serve(&mut self.inbox, &self.opener.noted).await {
                    http_road::End::Over => return,
                    http_road::End::NeedsSession { command, refusal } => {
                        match self.opener.open_wire(Some(&carrier)).await {
                            Ok(wire) => {
                                self.inbox.put_back(command);
                                Road::Wire(wire)
                            }
                            Err(error) => {
                                command.fail(match refusal {
                                    Some(refusal) => refusal.with_source(error),
                                    None => error,
                                });
                                Road::Http(carrier)
                            }
                        }
                    }
                },
                Road::Wire(carrier) => {
                    match (carrier.serve(&mut self.inbox, &self.opener.noted, &self.notify).await, &http) {
                        (wire_road::End::Idle { changed_types }, Some(http)) => {
                            if changed_types {
                                http.note_changed_types();
                            }
                            self.opener.noted.set_road(Transport::Http, None);
                            Road::Http(http.clone())
                        }
                        (wire_road::End::Lost, _) => {
                            self.opener.noted.set_lost();
                            while let Some(command) = self.inbox.next().await {
                                command.refuse();
                            }
                            return;
                        }
                        _ => return,
                    }
                }
            };
        }
    }
}

impl Opener {
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
}
