//! What waits to be written: [`Outlet`].

use core::fmt;

use feedrate::{Encode, EncodeError, Output, Storage};
use zeroize::Zeroize;

/// Messages that have been encoded and not been written. The storage's limit is how many bytes may wait.
///
/// ```
/// use feedrate::{Array, pg::frontend::Sync};
/// use feedrate_io::Outlet;
///
/// let mut outlet = Outlet::new(Array::<8>::new());
/// assert_eq!(outlet.push(&Sync), Ok(5));
/// assert_eq!(outlet.unsent(), b"S\0\0\0\x04");
/// outlet.sent(3);
/// assert_eq!(outlet.unsent(), b"\0\x04");
/// // What has been sent makes room.
/// assert_eq!(outlet.push(&Sync), Ok(5));
/// assert!(outlet.push(&Sync).is_err());
/// ```
pub struct Outlet<S> {
    storage: S,
    /// Bytes at the front that have been sent.
    sent: usize,
    secret: Secret,
}

/// Whether what has been sent is wiped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secret {
    No,
    Yes,
    UntilEmpty,
}

impl<S: Storage> Outlet<S> {
    /// Nothing waits yet.
    pub const fn new(storage: S) -> Self {
        Self { storage, sent: 0, secret: Secret::No }
    }

    /// Queues a message, whole or not at all, and returns its length.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Full`] where it does not fit behind what waits already. [`EncodeError`]'s others where it cannot
    /// be written at all.
    pub fn push(&mut self, message: &impl Encode) -> Result<usize, EncodeError> {
        let pushed = message.encode(&mut Tail(&mut self.storage));
        if pushed != Err(EncodeError::Full) || self.sent == 0 {
            return pushed;
        }
        // What has been sent takes room as long as something waits behind it.
        self.drop_sent();
        message.encode(&mut Tail(&mut self.storage))
    }

    /// Queues bytes, all or none.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Full`].
    pub fn push_bytes(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let free = self.storage.limit().saturating_sub(self.storage.held().len());
        if bytes.len() > free {
            self.drop_sent();
        }
        Tail(&mut self.storage).put(bytes)
    }

    /// What waits, in order.
    pub fn unsent(&self) -> &[u8] {
        self.storage.held().get(self.sent..).unwrap_or_default()
    }

    /// The first `n` bytes of what waits have been written.
    pub fn sent(&mut self, n: usize) {
        let n = n.min(self.unsent().len());
        let end = self.sent.saturating_add(n);
        if self.secret != Secret::No {
            self.storage.held_mut().get_mut(self.sent..end).unwrap_or_default().zeroize();
        }
        self.sent = end;
        if self.unsent().is_empty() {
            self.drop_all();
        }
    }

    /// How many bytes may wait at most.
    pub fn limit(&self) -> usize {
        self.storage.limit()
    }

    /// Whether what has been sent is wiped from memory: while passwords are sent. When that ends, what waits at that
    /// time is still wiped.
    pub fn secret(&mut self, secret: bool) {
        self.secret = match (secret, self.unsent().is_empty()) {
            (true, _) => Secret::Yes,
            (false, false) if self.secret != Secret::No => Secret::UntilEmpty,
            (false, _) => Secret::No,
        };
    }

    /// Drops what waits.
    pub fn clear(&mut self) {
        if self.secret != Secret::No {
            self.storage.held_mut().zeroize();
        }
        self.drop_all();
    }

    fn drop_all(&mut self) {
        if self.secret == Secret::UntilEmpty {
            self.secret = Secret::No;
        }
        self.sent = 0;
        self.storage.clear();
        self.storage.release();
    }

    /// For messages that are pushed by others. What [`drop_sent`](Self::drop_sent) frees is not free here.
    #[cfg(feature = "pg-client")]
    pub(crate) fn output(&mut self) -> impl Output + '_ {
        Tail(&mut self.storage)
    }

    pub(crate) fn drop_sent(&mut self) {
        self.storage.discard(self.sent);
        self.sent = 0;
    }
}

/// The bytes may be anybody's password, and are only counted.
impl<S: Storage> fmt::Debug for Outlet<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").field("unsent", &self.unsent().len()).field("limit", &self.limit()).finish()
    }
}

/// Writes at the end of a storage.
struct Tail<'s, S>(&'s mut S);

impl<S: Storage> Output for Tail<'_, S> {
    fn written(&mut self) -> &mut [u8] {
        self.0.held_mut()
    }

    fn length(&self) -> usize {
        self.0.held().len()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        let free = self.0.limit().saturating_sub(self.0.held().len());
        if bytes.len() > free {
            return Err(EncodeError::Full);
        }
        self.0.append(bytes).map_err(|_| EncodeError::Full)
    }

    fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feedrate::pg::frontend::{Query, Sync};
    use feedrate::{Array, Borrowed};

    #[test]
    fn what_is_sent_makes_room_and_keeps_the_order() {
        let mut outlet = Outlet::new(Array::<12>::new());
        let mut wire = [0_u8; 50];
        let mut length = 0;
        for _ in 0..10 {
            assert_eq!(outlet.push(&Sync), Ok(5));
            let n = outlet.unsent().len().min(4);
            wire[length..length + n].copy_from_slice(&outlet.unsent()[..n]);
            length += n;
            outlet.sent(n);
            while outlet.unsent().len() > 7 {
                wire[length] = outlet.unsent()[0];
                length += 1;
                outlet.sent(1);
            }
        }
        let rest = outlet.unsent().len();
        wire[length..length + rest].copy_from_slice(outlet.unsent());
        assert_eq!(length + rest, 50);
        assert!(wire.chunks(5).all(|sync| sync == b"S\0\0\0\x04"));
    }

    #[test]
    fn a_message_that_does_not_fit_leaves_nothing_behind() {
        let mut outlet = Outlet::new(Array::<16>::new());
        assert_eq!(outlet.push(&Sync), Ok(5));
        outlet.sent(2);
        assert_eq!(outlet.push(&Query { sql: "select 1".into() }), Err(EncodeError::Full));
        assert_eq!(outlet.unsent(), b"\0\0\x04");
        assert_eq!(outlet.push_bytes(&[1; 14]), Err(EncodeError::Full));
        assert_eq!(outlet.push_bytes(&[1; 13]), Ok(()));
        assert_eq!(outlet.unsent().len(), 16);
    }

    #[test]
    fn more_than_there_is_cannot_be_sent() {
        let mut outlet = Outlet::new(Array::<16>::new());
        assert_eq!(outlet.push(&Sync), Ok(5));
        outlet.sent(usize::MAX);
        assert_eq!(outlet.unsent(), b"");
        assert_eq!(outlet.push_bytes(&[1; 16]), Ok(()));
    }

    #[test]
    fn bytes_take_the_room_of_what_is_sent() {
        let mut outlet = Outlet::new(Array::<8>::new());
        assert_eq!(outlet.push_bytes(b"abcdef"), Ok(()));
        outlet.sent(4);
        assert_eq!(outlet.push_bytes(b"1234567"), Err(EncodeError::Full));
        assert_eq!(outlet.push_bytes(b"123456"), Ok(()));
        assert_eq!(outlet.unsent(), b"ef123456");
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn an_empty_queue_holds_no_memory() {
        let mut outlet = Outlet::new(feedrate::Grow::new(1 << 20));
        assert_eq!(outlet.push_bytes(&[1; 1000]), Ok(()));
        outlet.sent(999);
        assert!(outlet.storage.capacity() >= 1000);
        outlet.sent(1);
        assert_eq!(outlet.storage.capacity(), 0);
    }

    #[test]
    fn secrets_are_wiped_when_they_have_been_sent() {
        let mut outlet = Outlet::new(Array::<32>::new());
        outlet.secret(true);
        assert_eq!(outlet.push(&Query { sql: "password".into() }), Ok(14));
        outlet.sent(13);
        assert_eq!(outlet.storage.held(), [0; 14]);
        assert_eq!(outlet.push_bytes(b"another"), Ok(()));
        outlet.secret(false);
        outlet.sent(3);
        assert_eq!(outlet.storage.held()[14..], *b"\0\0other");
        assert_eq!(outlet.push_bytes(b"public"), Ok(()));
        outlet.sent(10);
        assert_eq!(outlet.storage.held()[..24], [0; 24]);
        outlet.sent(1);
        assert_eq!(outlet.push_bytes(b"public"), Ok(()));
        outlet.sent(5);
        assert_eq!(outlet.storage.held(), b"public");
    }

    #[test]
    fn no_secret_is_left_in_the_memory() {
        let ends: [fn(&mut Outlet<Borrowed<'_>>); 2] =
            [|outlet| outlet.sent(usize::MAX), |outlet| outlet.clear()];
        for end in ends {
            let mut memory = [0; 16];
            let mut outlet = Outlet::new(Borrowed::new(&mut memory));
            outlet.secret(true);
            assert_eq!(outlet.push_bytes(b"secret"), Ok(()));
            end(&mut outlet);
            assert_eq!(outlet.unsent(), b"");
            assert_eq!(memory, [0; 16]);
        }
    }
}
