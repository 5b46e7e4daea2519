use tokio::{net::TcpStream, select};

use super::{
    drain::drain,
    injector::{Cut, Injector},
    kind::{Event, Manner, Stage},
};

impl Injector {
    /// Decides whether a connection that was just accepted is used. Cancel safe.
    pub(crate) async fn accept(&self, tcp: &mut TcpStream) -> Result<(), Cut> {
        match self.strike(Event::Connection).loss(Stage::Connect).map(|loss| loss.manner) {
            None => Ok(()),
            Some(Manner::Drop) => Err(Cut),
            Some(Manner::Hang) => {
                // Until the client gives up, whatever it says.
                select! {
                    _ = drain(tcp) => {}
                    () = self.draining.cancelled() => {}
                }
                Err(Cut)
            }
        }
    }
}
