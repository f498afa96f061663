//! A limit on declared lengths, in a form that is fast to check.

use super::error::Problem;
use super::frame::HEADER;
use crate::protocol::Extent;

/// The limits of up to eight kinds of messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caps([Cap; 8]);

impl Caps {
    /// Nothing is allowed.
    pub(crate) const NONE: Self = Self::new([Cap(0); 8]);

    /// The caps, indexed by the kinds' numbers.
    pub(crate) const fn new(caps: [Cap; 8]) -> Self {
        Self(caps)
    }

    /// The length of the tagged message at the front of `head`, if the limit of its kind allows it.
    #[inline]
    pub(crate) fn glance(&self, head: &[u8], kind: fn(u8) -> u8) -> Option<usize> {
        let &[tag, a, b, c, d] = head.first_chunk::<HEADER>()?;
        let length = u32::from_be_bytes([a, b, c, d]);
        // At most `LONGEST` + 1, so it cannot wrap if `usize` can hold a length at all.
        self.get(kind(tag)).allows(length).then(|| width(length).saturating_add(1))
    }

    #[inline]
    pub(crate) fn get(&self, kind: u8) -> Cap {
        // The mask eliminates the bounds check.
        self.0.get(usize::from(kind & 7)).copied().unwrap_or(Cap(0))
    }
}

/// Lengths are signed on the wire. In a longer message, a negative length of a value could be a valid position.
pub(crate) const LONGEST: u32 = 0x7fff_ffff;

/// Cuts a limit to what fits into an Int32.
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

/// One limit. Bodies shorter than this are allowed, so 0 allows none. One comparison refuses both a length that is too
/// large and one below 4, which does not even include itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cap(u32);

impl Cap {
    /// Allows lengths up to `limit`, and no more than fits into an Int32; 0 allows none.
    pub(crate) const fn new(limit: u32) -> Self {
        Self(cut(limit).saturating_sub(3))
    }

    #[inline]
    pub(crate) const fn allows(self, length: u32) -> bool {
        length.wrapping_sub(4) < self.0
    }

    /// The extent of a tagged message with this limit. `None`: its length is out of bounds, or it is not allowed at
    /// all.
    pub(crate) fn measure(self, head: &[u8]) -> Option<Extent> {
        let Some(&[_, a, b, c, d]) = head.first_chunk::<HEADER>() else {
            return (!self.refuses_all()).then_some(Extent::Need(HEADER));
        };
        let length = u32::from_be_bytes([a, b, c, d]);
        self.allows(length).then(|| Extent::Message(width(length).saturating_add(1)))
    }

    /// The error for a length that is out of bounds.
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

/// A length as a `usize`. If it does not fit, the result is a size that no storage allows.
#[inline]
pub(crate) fn width(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}
