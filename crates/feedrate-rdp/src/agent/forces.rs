//! Which variables are forced, until when, and what happens to them then (SPEC section 8.7).

use feedrate::Instant;
use feedrate::rdp::frame::{Cause, Force};

use crate::limits::VALUE;
use crate::sizes::fill;
use crate::time::{NEVER, earlier};

/// The maximum number.
pub(super) const MOST: usize = 8;

/// A variable that is forced.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) addr: u64,
    length: u8,
    /// The safe value, as long as the value; none if `safe_length` is 0.
    safe: [u8; VALUE],
    safe_length: u8,
    pub(super) until: Instant,
    /// Sequence of the Force, and the first 8 bytes of its value: what the log shows.
    pub(super) sequence: u32,
    pub(super) shown: u64,
    pub(super) renewals: u16,
    /// It could not be released, for this cause: it is tried again at every run.
    pub(super) stuck: Option<Cause>,
}

impl Held {
    pub(super) fn new(force: &Force<'_>, sequence: u32, shown: u64, until: Instant) -> Self {
        let size = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        let mut safe = [0; VALUE];
        fill(&mut safe, force.safe.as_slice());
        Self {
            addr: force.addr,
            length: size(force.value.as_slice()),
            safe,
            safe_length: size(force.safe.as_slice()),
            until,
            sequence,
            shown,
            renewals: 0,
            stuck: None,
        }
    }

    /// The value that it is given before it is released.
    pub(super) fn safe(&self) -> Option<&[u8]> {
        self.safe.get(..usize::from(self.safe_length)).filter(|safe| !safe.is_empty())
    }

    fn overlaps(&self, addr: u64, length: u8) -> bool {
        let within =
            |from: u64, to: u64, length: u8| to.checked_sub(from).is_some_and(|n| n < u64::from(length));
        within(self.addr, addr, self.length) || within(addr, self.addr, length)
    }
}

/// All of them.
pub(super) struct Forces {
    pub(super) held: [Option<Held>; MOST],
}

impl Forces {
    pub(super) const NEW: Self = Self { held: [None; MOST] };

    #[inline(never)]
    pub(super) fn len(&self) -> usize {
        self.held.iter().flatten().count()
    }

    pub(super) fn stuck(&self) -> usize {
        self.held.iter().flatten().filter(|held| held.stuck.is_some()).count()
    }

    pub(super) fn has_room(&self, addr: u64) -> bool {
        self.held.iter().any(|held| held.is_none_or(|held| held.addr == addr))
    }

    #[inline(never)]
    pub(super) fn find(&mut self, addr: u64) -> Option<&mut Held> {
        self.held.iter_mut().flatten().find(|held| held.addr == addr)
    }

    /// Whether a value at this address would share a byte with a force at another one.
    pub(super) fn collides(&self, addr: u64, length: usize) -> bool {
        let length = u8::try_from(length).unwrap_or(u8::MAX);
        self.held.iter().flatten().any(|held| held.addr != addr && held.overlaps(addr, length))
    }

    /// It takes the place of one at the same address. There must be room.
    pub(super) fn hold(&mut self, new: Held) {
        self.forget(new.addr);
        if let Some(place) = self.held.iter_mut().find(|held| held.is_none()) {
            *place = Some(new);
        }
    }

    #[inline(never)]
    pub(super) fn forget(&mut self, addr: u64) {
        for held in &mut self.held {
            if held.is_some_and(|held| held.addr == addr) {
                *held = None;
            }
        }
    }

    /// When the next lease ends.
    pub(super) fn deadline(&self) -> Instant {
        let held = self.held.iter().flatten().filter(|held| held.stuck.is_none());
        held.map(|held| held.until).fold(NEVER, earlier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feedrate::rdp::frame::Bytes;

    fn force(addr: u64, length: usize) -> Held {
        let value = [7; VALUE];
        let force = Force {
            addr,
            lease: 1,
            fingerprint: [0; 16],
            value: Bytes::new(&value[..length]),
            safe: Bytes::new(&value[..0]),
        };
        Held::new(&force, 1, 0, Instant::ZERO)
    }

    #[test]
    fn what_shares_a_byte_collides() {
        let mut forces = Forces::NEW;
        forces.hold(force(100, 4));
        for (addr, length, collides) in [
            (96, 4, false),
            (97, 4, true),
            (103, 1, true),
            (104, 16, false),
            (90, 16, true),
            (100, 16, false),
            (u64::MAX, 16, false),
        ] {
            assert_eq!(forces.collides(addr, length), collides, "{addr} {length}");
        }
    }
}
