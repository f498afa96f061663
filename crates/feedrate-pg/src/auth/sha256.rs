//! SHA-256 and HMAC over its compression function: states that can be kept, and no buffer but the block.

use core::slice::from_ref;

use sha2::block_api::compress256;
use zeroize::Zeroize;

/// Bytes of a hash, a key, a proof, a signature.
pub(super) const KEY: usize = 32;
const BLOCK: usize = 64;
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

pub(super) struct Sha256 {
    state: [u32; 8],
    block: [u8; BLOCK],
    /// Bytes so far.
    length: usize,
}

impl Sha256 {
    pub(super) const fn new() -> Self {
        Self { state: START, block: [0; BLOCK], length: 0 }
    }

    /// Goes on from the state after one block.
    const fn after_block(state: [u32; 8]) -> Self {
        Self { state, block: [0; BLOCK], length: BLOCK }
    }

    pub(super) fn update(&mut self, mut data: &[u8]) {
        while !data.is_empty() {
            let place = self.block.get_mut(self.length % BLOCK..).unwrap_or_default();
            let (now, rest) = data.split_at_checked(place.len()).unwrap_or((data, &[]));
            place.iter_mut().zip(now).for_each(|(to, from)| *to = *from);
            self.length = self.length.wrapping_add(now.len());
            if self.length % BLOCK == 0 {
                compress256(&mut self.state, from_ref(&self.block));
            }
            data = rest;
        }
    }

    pub(super) fn finish(mut self) -> [u8; KEY] {
        let bits = u64::try_from(self.length).unwrap_or_default().wrapping_mul(8);
        self.update(&[0x80]);
        while self.length % BLOCK != 56 {
            self.update(&[0]);
        }
        self.update(&bits.to_be_bytes());
        let mut hash = [0; KEY];
        put(&self.state, &mut hash);
        hash
    }
}

impl Drop for Sha256 {
    fn drop(&mut self) {
        self.state.zeroize();
        self.block.zeroize();
    }
}

fn put(state: &[u32; 8], out: &mut [u8]) {
    for (to, word) in out.chunks_exact_mut(4).zip(state) {
        to.copy_from_slice(&word.to_be_bytes());
    }
}

/// HMAC with a key: the states behind the key's block, so that the key is hashed once.
#[derive(Clone)]
pub(super) struct Hmac {
    inner: [u32; 8],
    outer: [u32; 8],
}

impl Hmac {
    pub(super) fn new(key: &[u8]) -> Self {
        Self::of(|piece| piece(key))
    }

    /// The key comes in pieces.
    pub(super) fn of(pieces: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Self {
        let mut block = [0; BLOCK];
        let mut hash = Sha256::new();
        pieces(&mut |piece| {
            for (to, from) in block.iter_mut().skip(hash.length).zip(piece) {
                *to = *from;
            }
            hash.update(piece);
        });
        // A key that is longer than a block is hashed.
        if hash.length > BLOCK {
            block = [0; BLOCK];
            for (to, from) in block.iter_mut().zip(hash.finish()) {
                *to = from;
            }
        }
        let mut keyed = |pad: u8| {
            let mut state = START;
            block.iter_mut().for_each(|byte| *byte ^= pad);
            compress256(&mut state, from_ref(&block));
            state
        };
        // The second undoes the first.
        let states = Self { inner: keyed(0x36), outer: keyed(0x36 ^ 0x5c) };
        block.zeroize();
        states
    }

    /// Of all `parts`.
    pub(super) fn hash(&self, parts: &[&[u8]]) -> [u8; KEY] {
        let mut inner = Sha256::after_block(self.inner);
        parts.iter().for_each(|part| inner.update(part));
        let mut outer = Sha256::after_block(self.outer);
        outer.update(&inner.finish());
        outer.finish()
    }

    /// Of the hash in `block`, which is replaced: two compressions.
    pub(super) fn again(&self, block: &mut Padded) {
        for state in [self.inner, self.outer] {
            let mut state = state;
            compress256(&mut state, from_ref(&block.0));
            put(&state, block.hash_mut());
        }
    }
}

impl Drop for Hmac {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// A hash, and what HMAC pads it with: the last block of a message of one block and a hash.
#[derive(Clone)]
pub(super) struct Padded([u8; BLOCK]);

impl Padded {
    pub(super) fn new(hash: &[u8; KEY]) -> Self {
        let mut block = [0; BLOCK];
        // (64 + 32) * 8 bits.
        let padding = [0x80].into_iter().chain([0; 29]).chain([3, 0]);
        for (to, from) in block.iter_mut().zip(hash.iter().copied().chain(padding)) {
            *to = from;
        }
        Self(block)
    }

    pub(super) fn hash(&self) -> &[u8] {
        self.0.first_chunk::<KEY>().map_or(&[], |hash| hash)
    }

    fn hash_mut(&mut self) -> &mut [u8] {
        self.0.first_chunk_mut::<KEY>().map_or(&mut [], |hash| hash)
    }
}

impl Drop for Padded {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
