//! Read buffers for many connections: [`Pool`].

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroize;

/// Buffers of one size. A connection takes one when there is something to read, and gives it back when there is not: so
/// an idle one holds none, and a thread needs about as many as it has connections that are in the middle of something.
///
/// ```
/// use feedrate_io::Pool;
///
/// let mut pool = Pool::new(4096, 8);
/// let buffer = pool.take();
/// assert_eq!(buffer.len(), 4096);
/// pool.give(buffer);
/// ```
pub struct Pool {
    buffers: Vec<Vec<u8>>,
    size: usize,
    keep: usize,
}

impl Pool {
    /// Buffers of `size` bytes, of which at most `keep` wait for their next use. None is made before it is needed.
    pub const fn new(size: usize, keep: usize) -> Self {
        Self { buffers: Vec::new(), size, keep }
    }

    /// A buffer. What is in it is anybody's.
    pub fn take(&mut self) -> Vec<u8> {
        self.buffers.pop().unwrap_or_else(|| alloc::vec![0; self.size])
    }

    /// A buffer comes back. One of another size is dropped, and one too many is.
    pub fn give(&mut self, buffer: Vec<u8>) {
        if buffer.len() == self.size && self.buffers.len() < self.keep {
            self.buffers.push(buffer);
        }
    }

    /// A buffer comes back that held a secret: it is wiped.
    pub fn give_secret(&mut self, mut buffer: Vec<u8>) {
        buffer.as_mut_slice().zeroize();
        self.give(buffer);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("free", &self.buffers.len())
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_kept_as_may_be() {
        let mut pool = Pool::new(16, 2);
        let all = [pool.take(), pool.take(), pool.take()];
        all.into_iter().for_each(|buffer| pool.give(buffer));
        assert_eq!(pool.buffers.len(), 2);
        pool.take();
        pool.give(Vec::new());
        assert_eq!(pool.buffers.len(), 1);
    }

    #[test]
    fn a_secret_does_not_come_out_again() {
        let mut pool = Pool::new(4, 1);
        let mut buffer = pool.take();
        buffer.copy_from_slice(b"pass");
        pool.give_secret(buffer);
        assert_eq!(pool.take(), [0; 4]);
    }
}
