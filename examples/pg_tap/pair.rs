//! How the two directions of one connection end.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

#[derive(Debug, Default)]
pub(crate) struct Pair {
    /// How many of the two have ended.
    ended: Mutex<u8>,
    changed: Condvar,
    /// How often anything has been forwarded.
    moved: AtomicU64,
}

impl Pair {
    /// Something has been forwarded, in either direction.
    pub(crate) fn moved(&self) {
        self.moved.fetch_add(1, Relaxed);
    }

    /// One direction has ended. Waits for the other one as long as it makes progress: a client that has stopped sending
    /// may still read, and a server may have much to send. `false`: there was no progress for too long.
    pub(crate) fn end(&self, patience: Duration) -> bool {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        *ended += 1;
        self.changed.notify_all();
        loop {
            let moved = self.moved.load(Relaxed);
            let waited = self.changed.wait_timeout_while(ended, patience, |ended| *ended < 2);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            if *ended == 2 || moved == self.moved.load(Relaxed) {
                return *ended == 2;
            }
        }
    }
}
