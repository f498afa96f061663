//! Masking keys: unpredictable, and not a system call for each.

use core::cell::RefCell;
use core::hash::BuildHasher;
use std::hash::RandomState;

/// Where a client's keys come from.
pub(super) type RandomKeys = fn() -> [u8; 4];

/// Keys of a thread that have not been used.
struct Block {
    bytes: [u8; 1024],
    used: usize,
}

std::thread_local! {
    static KEYS: RefCell<Block> = const { RefCell::new(Block { bytes: [0; 1024], used: 1024 }) };
}

/// The next key.
pub(super) fn next_key() -> [u8; 4] {
    let pooled = KEYS.try_with(|keys| keys.try_borrow_mut().ok().and_then(|mut keys| keys.next()));
    pooled.ok().flatten().unwrap_or_else(|| {
        let mut key = [0; 4];
        if getrandom::fill(&mut key).is_ok() { key } else { hashed() }
    })
}

/// A system that had randomness for the handshake has none any more: the standard library's hash is keyed with some of
/// earlier.
fn hashed() -> [u8; 4] {
    let [a, b, c, d, ..] = RandomState::new().hash_one(()).to_ne_bytes();
    [a, b, c, d]
}

impl Block {
    fn next(&mut self) -> Option<[u8; 4]> {
        if self.used >= self.bytes.len() {
            getrandom::fill(&mut self.bytes).ok()?;
            self.used = 0;
        }
        let key = self.bytes.get_mut(self.used..)?.first_chunk_mut()?;
        self.used = self.used.saturating_add(4);
        // A key is on the wire once it is used, and need not be wiped; to be used twice it must not.
        Some(core::mem::take(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ() {
        let mut keys: alloc::vec::Vec<_> = (0..1000).map(|_| next_key()).collect();
        keys.sort_unstable();
        keys.dedup();
        // Of a thousand numbers of 32 bits, two are the same once in 8,000 times.
        assert!(keys.len() > 997, "{}", keys.len());
        assert_ne!(hashed(), hashed());
    }
}
