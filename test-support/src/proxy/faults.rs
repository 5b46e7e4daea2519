use std::sync::Arc;

use tokio::sync::watch;

/// What has befallen the connections of a proxy.
#[derive(Debug)]
pub(super) struct Faults(watch::Sender<State>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    is_cut: bool,
    cuts: usize,
    closes: usize,
}

impl Default for Faults {
    fn default() -> Self {
        Self(watch::Sender::new(State::default()))
    }
}

impl Faults {
    pub(super) fn cut(&self) {
        self.0.send_modify(|state| {
            state.is_cut = true;
            state.cuts += 1;
        });
    }

    pub(super) fn mend(&self) {
        self.0.send_modify(|state| state.is_cut = false);
    }

    pub(super) fn close(&self) {
        self.0.send_modify(|state| state.closes += 1);
    }
}

/// One connection, which is carried until something befalls it.
#[derive(Debug)]
pub(super) struct Line {
    born: State,
    now: watch::Receiver<State>,
}

impl Line {
    pub(super) fn new(faults: &Arc<Faults>) -> Self {
        let now = faults.0.subscribe();
        let born = *now.borrow();
        Self { born, now }
    }

    /// Whether its bytes are swallowed.
    pub(super) fn is_cut(&self) -> bool {
        self.born.is_cut || self.now.borrow().cuts != self.born.cuts
    }

    /// Waits until it shall be closed.
    pub(super) fn lost(&mut self) -> impl Future<Output = ()> + use<> {
        let (born, mut now) = (self.born, self.now.clone());
        async move {
            // The proxy's end is theirs too.
            let _ = now.wait_for(|state| state.closes != born.closes).await;
        }
    }
}
