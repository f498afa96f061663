//! A limit on declared lengths, in the form in which it is checked.

use super::error::Problem;
use super::frame::HEADER;
use crate::protocol::Extent;

/// The limits of up to eight kinds of messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps([Cap; 8]);

impl Caps {
    /// Nothing is allowed.
    pub(crate) const NONE: Self = Self::new([Cap(0); 8]);

    /// By the kinds' numbers.
    pub(crate) const fn new(caps: [Cap; 8]) -> Self {
        Self(caps)
    }

    /// How long the tagged message at the front of `head` is, if its limit, which is that of its kind, allows it.
    #[inline]
    pub(crate) fn glance(&self, head: &[u8], kind: fn(u8) -> u8) -> Option<usize> {
        let &[tag, a, b, c, d] = head.first_chunk::<HEADER>()?;
        let length = u32::from_be_bytes([a, b, c, d]);
        // At most `LONGEST` and one more, so that nothing wraps where a length fits at all.
        self.get(kind(tag)).allows(length).then(|| width(length).saturating_add(1))
    }

    #[inline]
    pub(crate) fn get(&self, kind: u8) -> Cap {
        // The mask makes the bounds check go away.
        self.0.get(usize::from(kind & 7)).copied().unwrap_or(Cap(0))
    }
}

/// Lengths are signed on the wire. Beyond this one, a negative length of a value could be a place in the message.
pub(crate) const LONGEST: u32 = 0x7fff_ffff;

/// A limit as it is applied: no more than an Int32 can say.
pub(crate) const fn cut(limit: u32) -> u32 {
    smaller(limit, LONGEST)
}

/// `Ord::max` is not `const`.
pub(crate) const fn largest(limits: &[u32]) -> u32 {
    match limits {
        [first, rest @ ..] => {
            let others = largest(rest);
            if *first > others { *first } else { others }
        }
        [] => 0,
    }
}

/// `Ord::min` is not either.
pub(crate) const fn smaller(one: u32, other: u32) -> u32 {
    if one < other { one } else { other }
}

/// One limit. The bodies that are allowed are those shorter than this: so 0 allows none, and one comparison refuses
/// both a length that is too large and one below 4, which does not even count itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cap(u32);

impl Cap {
    /// Allows lengths up to `limit`, and up to what an Int32 can say; 0 allows none.
    pub(crate) const fn new(limit: u32) -> Self {
        Self(cut(limit).saturating_sub(3))
    }

    #[inline]
    pub(crate) const fn allows(self, length: u32) -> bool {
        length.wrapping_sub(4) < self.0
    }

    /// How far a tagged message of this limit reaches. `None`: its length is out of bounds, or it cannot come at all.
    pub(crate) fn measure(self, head: &[u8]) -> Option<Extent> {
        let Some(&[_, a, b, c, d]) = head.first_chunk::<HEADER>() else {
            return (!self.refuses_all()).then_some(Extent::Need(HEADER));
        };
        let length = u32::from_be_bytes([a, b, c, d]);
        self.allows(length).then(|| Extent::Message(width(length).saturating_add(1)))
    }

    /// What is wrong with a length that is out of bounds.
    pub(crate) fn problem(self, head: &[u8]) -> Problem {
        let length =
            head.get(1..).and_then(<[u8]>::first_chunk).map_or(0, |length| u32::from_be_bytes(*length));
        Problem::Length { length, min: 4, max: self.limit() }.of_header(head)
    }

    pub(crate) const fn refuses_all(self) -> bool {
        self.0 == 0
    }

    /// The largest length that is allowed.
    pub(crate) const fn limit(self) -> u32 {
        self.0.saturating_add(3)
    }
}

/// A length as a size in memory; one that no memory can hold becomes one that no storage allows.
#[inline]
pub(crate) fn width(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
