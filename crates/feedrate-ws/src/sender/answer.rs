//! Takes the answers of the receiver of the same connection.

use feedrate::{Instant, Storage};

use super::Sender;
use super::keys::Keys;
use crate::answer::Answer;
use crate::close::Close;
use crate::close_code::CloseCode;

impl<S: Storage, K: Keys> Answer for Sender<S, K> {
    fn pong(&mut self, payload: &[u8]) {
        self.push_pong(payload);
    }

    fn closed(&mut self, close: Option<Close<'_>>, now: Instant) {
        self.hear_close(close, now);
    }

    fn failed(&mut self, code: CloseCode, now: Instant) {
        self.fail(code, now);
    }
}
