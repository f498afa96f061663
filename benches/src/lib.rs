//! What the benchmarks and the instruction counts share: the streams, and one pass over a stream for each contender.
//!
//! Every contender of a kind does the same work, and answers the same sum: `pg`'s `agree` test holds them to it.
#![allow(missing_docs)]

pub mod connection;
pub mod decode;
pub mod encode;
#[cfg(feature = "pg-proto")]
pub mod pg_proto;
pub mod pipeline;
pub mod rdp;
pub mod streams;
pub mod ws;

/// Depends on everything that was looked at, so that nothing is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum(pub u64);

impl Sum {
    #[inline]
    pub fn add(&mut self, n: usize) {
        self.0 = self.0.wrapping_add(n as u64);
    }

    /// The length, and the first byte.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.add(bytes.len());
        self.add(bytes.first().copied().unwrap_or_default().into());
    }

    /// The same of a value; of NULL, 1.
    #[inline]
    pub fn value(&mut self, value: Option<&[u8]>) {
        match value {
            Some(value) => self.bytes(value),
            None => self.add(1),
        }
    }
}
