//! The key with which a session is cancelled.

use core::fmt;

use feedrate::pg::Secret;
use feedrate::pg::backend::BackendKeyData;
use feedrate::pg::frontend::CancelRequest;

/// Bytes of the longest key: protocol 3.2.
const LONGEST: usize = 256;

/// A copy of BackendKeyData.
#[derive(Clone)]
pub(super) struct Key {
    process_id: i32,
    bytes: [u8; LONGEST],
    length: usize,
}

impl Key {
    pub(super) const NONE: Self = Self { process_id: 0, bytes: [0; LONGEST], length: 0 };

    pub(super) fn keep(&mut self, data: &BackendKeyData<'_>) {
        let key = data.key.expose();
        self.process_id = data.process_id;
        self.length = key.len().min(LONGEST);
        for (to, from) in self.bytes.iter_mut().zip(key) {
            *to = *from;
        }
    }

    pub(super) fn cancel_request(&self) -> Option<CancelRequest<'_>> {
        let key = self.bytes.get(..self.length).filter(|key| !key.is_empty())?;
        Some(CancelRequest { process_id: self.process_id, key: Secret::from(key) })
    }
}

/// Whoever has it can cancel what the session does.
#[cfg(feature = "auth")]
impl Drop for Key {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.bytes);
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("process_id", &self.process_id).finish_non_exhaustive()
    }
}
