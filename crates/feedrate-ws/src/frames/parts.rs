//! Frames in parts, as they arrive.

use feedrate::{Extent, Lent, Protocol};

use super::look::QUICK;
use super::{Frames, Next};
use crate::header::{Header, Measured};
use crate::mask;
use crate::mode::Parts;
use crate::part::{FrameError, Part, Payload};
use crate::role::Role;

impl<M: Parts> Protocol for Frames<M> {
    type Bytes<'a> = Lent<'a>;
    type Message<'a> = Part<'a>;
    type Error = FrameError;

    fn extent(&self, head: &[u8]) -> Result<Extent, FrameError> {
        if self.remaining > 0 {
            return Ok(Extent::Piece(usize::try_from(self.remaining).unwrap_or(usize::MAX)));
        }
        Ok(match Measured::of(head, &self.expected())? {
            Measured::Need(n) => Extent::Need(n),
            Measured::Whole(_, n) => Extent::Message(n),
        })
    }

    fn parse<'a>(&mut self, bytes: Self::Bytes<'a>) -> Result<Part<'a>, FrameError> {
        if self.remaining > 0 {
            return Ok(self.piece(None, bytes));
        }
        let Measured::Whole(header, n) = Measured::of(bytes.as_bytes(), &self.expected())? else {
            return Err(FrameError::NotReady);
        };
        self.begin(&header);
        Ok(self.piece(Some(header), split(bytes, n).1))
    }

    /// A part of a payload. Or a new frame: all of a data frame that is complete here, otherwise only its header.
    // It may be longer than `extent` returns, which is allowed only because the decoder has no limit.
    #[inline(always)]
    fn glance(&self, head: &[u8]) -> Option<usize> {
        if !QUICK || !M::JOINED {
            return None;
        }
        if self.remaining > 0 {
            let n = usize::try_from(self.remaining).unwrap_or(usize::MAX).min(head.len());
            return (n > 0).then_some(n);
        }
        self.look(head).map(|look| if look.is_whole() { look.frame() } else { look.size })
    }

    #[inline(always)]
    fn quick<'a>(&mut self, bytes: Self::Bytes<'a>) -> Result<Part<'a>, FrameError> {
        if !QUICK {
            return self.parse(bytes);
        }
        if self.remaining > 0 {
            return Ok(self.piece(None, bytes));
        }
        let Some(look) = self.look(bytes.as_bytes()) else { return self.parse(bytes) };
        let header = look.header();
        self.next = if header.fin { self.kinds } else { Next::CONTINUATION };
        if look.is_whole() {
            let payload = Payload { bytes: split(bytes, look.size).1, key: header.mask };
            return Ok(Part { header: Some(header), payload, last: true });
        }
        self.remaining = header.length;
        self.key = header.mask.unwrap_or_default();
        Ok(self.piece(Some(header), split(bytes, look.size).1))
    }

    fn inside(&self) -> bool {
        self.remaining > 0 || !self.has_ended()
    }

    fn reset(&mut self) {
        (self.remaining, self.next) = (0, self.kinds);
    }
}

impl<M: Parts> Frames<M> {
    #[inline(always)]
    fn piece<'a>(&mut self, header: Option<Header>, bytes: Lent<'a>) -> Part<'a> {
        let n = bytes.as_bytes().len();
        let key = match self.role {
            Role::Server => Some(self.key),
            Role::Client => None,
        };
        self.key = mask::advance(self.key, n);
        self.remaining = self.remaining.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
        Part { header, payload: Payload { bytes, key }, last: self.remaining == 0 }
    }
}

/// Cut after `n` bytes.
#[inline(always)]
fn split(bytes: Lent<'_>, n: usize) -> (&[u8], Lent<'_>) {
    match bytes {
        Lent::Shared(bytes) => {
            let (start, rest) = bytes.split_at_checked(n).unwrap_or_default();
            (start, Lent::Shared(rest))
        }
        Lent::Mutable(bytes) => {
            let (start, rest) = bytes.split_at_mut_checked(n).unwrap_or_default();
            (start, Lent::Mutable(rest))
        }
    }
}
