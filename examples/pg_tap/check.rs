//! Whether each message may come where it comes: `--check`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use feedrate::pg::{Backend, Direction, Frame, Frontend};
use feedrate_pg::Full;
use feedrate_pg::observer::{Observer, Verdict};
use feedrate_pg::queue::Slot;
use tokio::sync::Notify;

/// How many messages may wait for their responses, repeats not counted. One more is not forwarded before there is room.
const OWED: usize = 4096;

/// What both directions of one connection have in common.
pub(crate) struct Check {
    connection: u64,
    state: Mutex<State>,
    /// The server has sent something.
    room: Notify,
}

struct State {
    observer: Observer<Vec<Slot>>,
    messages: u64,
    unexpected: u64,
}

/// A side whose messages are observed.
pub(crate) trait Observed: Direction {
    const NAME: &'static str;
    fn observe(observer: &mut Observer<Vec<Slot>>, frame: &Frame<'_, Self>) -> Result<Verdict, Full>;
}

impl Observed for Frontend {
    const NAME: &'static str = "client";
    fn observe(observer: &mut Observer<Vec<Slot>>, frame: &Frame<'_, Self>) -> Result<Verdict, Full> {
        observer.frontend(frame)
    }
}

impl Observed for Backend {
    const NAME: &'static str = "server";
    fn observe(observer: &mut Observer<Vec<Slot>>, frame: &Frame<'_, Self>) -> Result<Verdict, Full> {
        Ok(observer.backend(frame))
    }
}

impl Check {
    pub(crate) fn new(connection: u64) -> Self {
        let observer = Observer::new(vec![Slot::EMPTY; OWED]);
        let state = Mutex::new(State { observer, messages: 0, unexpected: 0 });
        Self { connection, state, room: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message passes. Returns the line about it, if it may not come here. `Full`: it has to wait.
    pub(crate) fn pass<D: Observed>(&self, frame: &Frame<'_, D>) -> Result<Option<String>, Full> {
        let mut state = self.state();
        let verdict = D::observe(&mut state.observer, frame)?;
        state.messages += 1;
        self.room.notify_one();
        let Verdict::Unexpected { expected } = verdict else { return Ok(None) };
        state.unexpected += 1;
        let (number, side, name) = (self.connection, D::NAME, frame.name());
        Ok(Some(format!("unexpected {number} {side} {name}: expected {expected}\n")))
    }

    /// Until something has passed since the last call.
    pub(crate) async fn room(&self) {
        self.room.notified().await;
    }

    /// The line at the connection's end.
    pub(crate) fn end(&self) -> String {
        let State { observer, messages, unexpected } = &*self.state();
        let (number, owed, in_step) = (self.connection, observer.ready_owed(), observer.in_step());
        format!(
            "connection {number}: {messages} messages, {unexpected} unexpected, owed {owed}, in step {in_step}\n"
        )
    }
}
