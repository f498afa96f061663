//! Pings and pongs: RFC 6455, sections 5.5.2 and 5.5.3.

use feedrate::Storage;

use super::Sender;
use super::error::SendError;
use super::keys::Keys;
use crate::opcode::{CONTROL, Opcode};

impl<S: Storage, K: Keys> Sender<S, K> {
    /// Queues a ping, which goes before the next frame of data.
    ///
    /// # Errors
    ///
    /// [`SendError::ControlTooLong`], [`SendError::PingPending`], [`SendError::Closing`].
    pub fn ping(&mut self, payload: &[u8]) -> Result<(), SendError> {
        if payload.len() > CONTROL {
            return Err(SendError::ControlTooLong { length: payload.len() });
        }
        if self.closing.said {
            return Err(SendError::Closing);
        }
        if self.queue.has(Opcode::Ping) {
            return Err(SendError::PingPending);
        }
        let header = self.header(Opcode::Ping, payload);
        if self.queue.push_urgent(&header, payload) { Ok(()) } else { Err(self.full(payload.len())) }
    }

    /// Queues the answer to a ping.
    pub(super) fn push_pong(&mut self, payload: &[u8]) {
        // Nothing may follow a close frame that has begun.
        if (!self.closing.said || self.is_close_waiting()) && !self.closing.heard {
            let header = self.header(Opcode::Pong, payload);
            self.queue.push_pong(&header, payload);
        }
    }
}
