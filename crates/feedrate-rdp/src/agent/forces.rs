//! Which variables are forced, and until when.

use crate::target::Target;
use crate::time::{Millis, earlier, reached};

/// The most there can be.
const MOST: usize = 8;

#[derive(Debug, Clone, Copy)]
struct Lease {
    addr: u64,
    until: Millis,
}

pub(super) struct Leases {
    leases: [Option<Lease>; MOST],
}

impl Leases {
    pub(super) const NEW: Self = Self { leases: [None; MOST] };

    pub(super) const fn slots(&self) -> u8 {
        8
    }

    pub(super) fn len(&self) -> u16 {
        self.leases.iter().flatten().fold(0, |count: u16, _| count.saturating_add(1))
    }

    pub(super) fn has_room(&self, addr: u64) -> bool {
        self.leases.iter().any(|lease| lease.is_none_or(|lease| lease.addr == addr))
    }

    pub(super) fn holds(&self, addr: u64) -> bool {
        self.leases.iter().flatten().any(|lease| lease.addr == addr)
    }

    /// Forced for `lasts` milliseconds from now on. There must be room.
    pub(super) fn hold(&mut self, addr: u64, lasts: u32, now: Millis) {
        self.forget(addr);
        let until = now.wrapping_add(lasts.min(i32::MAX.unsigned_abs()));
        if let Some(place) = self.leases.iter_mut().find(|lease| lease.is_none()) {
            *place = Some(Lease { addr, until });
        }
    }

    pub(super) fn forget(&mut self, addr: u64) {
        for lease in &mut self.leases {
            if lease.is_some_and(|lease| lease.addr == addr) {
                *lease = None;
            }
        }
    }

    /// Lets go of what has been held long enough.
    pub(super) fn expire<T: Target>(&mut self, target: &mut T, now: Millis) {
        self.release_if(target, |lease| reached(now, lease.until));
    }

    pub(super) fn release_all<T: Target>(&mut self, target: &mut T) {
        self.release_if(target, |_| true);
    }

    fn release_if<T: Target>(&mut self, target: &mut T, over: impl Fn(&Lease) -> bool) {
        for place in &mut self.leases {
            if let Some(lease) = place.filter(|lease| over(lease)) {
                *place = None;
                if let Some(forcing) = target.forcing() {
                    let _ = forcing.release(lease.addr);
                }
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Millis> {
        self.leases.iter().flatten().map(|lease| Some(lease.until)).fold(None, earlier)
    }
}
