//! A read buffer of this thread's pool: [`Lease`].

use alloc::vec::Vec;
use core::cell::RefCell;
use core::mem::take;

use crate::pool::Pool;

/// What one read can bring: a long message in few reads (see `DESIGN.md`).
const SIZE: usize = 128 * 1024;
/// How many buffers a thread keeps for whoever reads next.
const KEPT: usize = 16;

std::thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new(SIZE, KEPT)) };
}

/// A buffer, or none. It goes back when it is dropped, and is wiped if it may hold a password.
pub(crate) struct Lease {
    memory: Vec<u8>,
    secret: bool,
}

impl Lease {
    /// No buffer.
    pub(crate) const NONE: Self = Self { memory: Vec::new(), secret: false };

    /// One out of the pool.
    pub(crate) fn new(secret: bool) -> Self {
        let pooled = POOL.try_with(|pool| pool.try_borrow_mut().map(|mut pool| pool.take()));
        let memory = pooled.ok().and_then(Result::ok).unwrap_or_else(|| alloc::vec![0; SIZE]);
        Self { memory, secret }
    }

    /// One that begins with these bytes.
    pub(crate) fn holding(bytes: Vec<u8>, secret: bool) -> Self {
        let mut lease = Self::new(secret);
        match lease.memory.get_mut(..bytes.len()) {
            Some(front) => front.copy_from_slice(&bytes),
            // So much that the pool has no buffer for it: it is its own.
            None => lease.memory = bytes,
        }
        lease
    }
}

impl AsRef<[u8]> for Lease {
    fn as_ref(&self) -> &[u8] {
        &self.memory
    }
}

impl AsMut<[u8]> for Lease {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.memory
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.memory.is_empty() {
            return;
        }
        let (memory, secret) = (take(&mut self.memory), self.secret);
        // A thread that ends has no pool any more: its memory goes too, and is not wiped twice.
        let _ = POOL.try_with(|pool| {
            if let Ok(mut pool) = pool.try_borrow_mut() {
                if secret { pool.give_secret(memory) } else { pool.give(memory) }
            }
        });
    }
}
