//! The fast path for the most common frames, in a few instructions.

use feedrate::Lent;

use super::Frames;
use crate::header::{FIN, Header, MASK, OPCODE};
use crate::mask;
use crate::opcode::Opcode;
use crate::role::Role;

/// Whether the fast paths are compiled. Targets without an operating system do without them, to save flash.
pub(crate) const QUICK: bool = !cfg!(target_os = "none");

impl<M> Frames<M> {
    /// The header of a common frame, in a few instructions: a data frame of 1 to 65,535 bytes that breaks no rule.
    #[inline(always)]
    pub(crate) fn look(&self, bytes: &[u8]) -> Option<Look> {
        let [first, second, rest @ ..] = bytes else { return None };
        let opcode = first & !FIN;
        if opcode > 2 || self.next.wrapping_shr(opcode.into()) & 1 == 0 {
            return None;
        }
        let bit = match self.role {
            Role::Server => MASK,
            Role::Client => 0,
        };
        let (length, rest, size) = match second ^ bit {
            // Frames without a payload take the slow path: there would be nothing to hand out here.
            short @ 1..=125 => (u16::from(short), rest, 2_usize),
            126 => {
                let (length, rest) = rest.split_first_chunk()?;
                (u16::from_be_bytes(*length), rest, 4)
            }
            _ => return None,
        };
        if size == 4 && length < 126 {
            return None;
        }
        let (key, here, size) = match self.role {
            Role::Server => {
                let (key, payload) = rest.split_first_chunk()?;
                (Some(*key), payload.len(), size.saturating_add(4))
            }
            Role::Client => (None, rest.len(), size),
        };
        Some(Look { first: *first, key, size, length: length.into(), here })
    }
}

/// A header that has been read by the fast path.
pub(crate) struct Look {
    first: u8,
    key: Option<[u8; 4]>,
    /// Bytes of the header.
    pub(crate) size: usize,
    /// Bytes of payload.
    pub(crate) length: usize,
    /// Bytes that follow the header in the input.
    here: usize,
}

impl Look {
    /// Whether it is a message in one frame.
    #[inline(always)]
    pub(crate) const fn is_single(&self) -> bool {
        self.first > FIN
    }

    #[inline(always)]
    pub(crate) const fn is_whole(&self) -> bool {
        self.length <= self.here
    }

    #[inline(always)]
    pub(super) fn header(&self) -> Header {
        let opcode = match self.first & OPCODE {
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            _ => Opcode::Continuation,
        };
        let length = u64::try_from(self.length).unwrap_or(u64::MAX);
        Header { fin: self.first & FIN != 0, rsv1: false, opcode, mask: self.key, length }
    }

    #[inline(always)]
    pub(crate) const fn is_text(&self) -> bool {
        self.first & OPCODE == 1
    }

    /// The payload, which can be unmasked in place.
    #[inline(always)]
    pub(crate) fn unmask<'a>(&self, payload: Lent<'a>) -> &'a [u8] {
        match (payload, self.key) {
            (Lent::Mutable(payload), Some(key)) => {
                mask::apply(payload, key);
                payload
            }
            (payload, _) => payload.into_bytes(),
        }
    }

    #[inline(always)]
    pub(crate) const fn frame(&self) -> usize {
        self.size.saturating_add(self.length)
    }
}
