//! Connections that have not begun, of which there are so many at most.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

/// When there are too many, the oldest has to go. If newcomers waited instead, clients that connect and say nothing
/// would keep everybody else out.
#[derive(Debug)]
pub(crate) struct Waiting {
    most: usize,
    clients: Mutex<BTreeMap<u64, oneshot::Sender<()>>>,
}

impl Waiting {
    pub(crate) const fn new(most: usize) -> Self {
        Self { most, clients: Mutex::new(BTreeMap::new()) }
    }

    /// One more. It has to go when the receiver gets something.
    pub(crate) fn add(&self, number: u64) -> oneshot::Receiver<()> {
        let (go, told) = oneshot::channel();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        clients.insert(number, go);
        while clients.len() > self.most {
            let _ = clients.pop_first().map(|(_, go)| go.send(()));
        }
        told
    }

    /// It has begun, or ended.
    pub(crate) fn remove(&self, number: u64) {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }

    /// The oldest goes, because something else has run out.
    pub(crate) fn give_way(&self) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = clients.pop_first().map(|(_, go)| go.send(()));
    }
}
