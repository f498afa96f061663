//! Which traps the host has set (SPEC section 8.5).

use feedrate::rdp::frame::{Cause, Listed, SetAs};

/// The maximum number.
const MOST: usize = 16;

/// A trap, and the target's slot that it occupies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) listed: Listed,
    pub(super) slot: u16,
    /// Sequence of the command that set it.
    pub(super) sequence: u32,
    /// It could not be cleared, for this cause: it is tried again at every run.
    pub(super) stuck: Option<Cause>,
}

pub(super) struct Table {
    pub(super) entries: [Option<Entry>; MOST],
}

impl Table {
    pub(super) const NEW: Self = Self { entries: [None; MOST] };

    pub(super) const fn slots(&self) -> u16 {
        16
    }

    pub(super) fn len(&self) -> usize {
        self.entries.iter().flatten().count()
    }

    /// Whether any trap is set and not stuck.
    pub(super) fn are_set(&self) -> bool {
        self.entries.iter().flatten().any(|entry| entry.stuck.is_none())
    }

    pub(super) fn stuck(&self) -> usize {
        self.entries.iter().flatten().filter(|entry| entry.stuck.is_some()).count()
    }

    #[inline(never)]
    pub(super) fn find(&mut self, id: u32) -> Option<&mut Entry> {
        self.entries.iter_mut().flatten().find(|entry| entry.listed.id == id)
    }

    /// The id of the trap that a new one would duplicate: one with this id, or of this class at this address.
    pub(super) fn duplicate(&self, id: u32, addr: u64, watch: bool) -> Option<u32> {
        let same = |listed: &Listed| {
            listed.id == id || (listed.addr == addr && (listed.trap == SetAs::Watch) == watch)
        };
        self.entries.iter().flatten().map(|entry| entry.listed).find(same).map(|listed| listed.id)
    }

    /// The one with the lowest id from `from` on.
    pub(super) fn first(&self, from: u32) -> Option<Listed> {
        let mut first: Option<&Listed> = None;
        for Entry { listed, .. } in self.entries.iter().flatten() {
            if listed.id >= from && first.is_none_or(|first| listed.id < first.id) {
                first = Some(listed);
            }
        }
        first.copied()
    }

    /// There must be room.
    pub(super) fn insert(&mut self, new: Entry) {
        if let Some(place) = self.entries.iter_mut().find(|entry| entry.is_none()) {
            *place = Some(new);
        }
    }

    pub(super) fn remove(&mut self, id: u32) {
        for entry in &mut self.entries {
            if entry.is_some_and(|entry| entry.listed.id == id) {
                *entry = None;
            }
        }
    }

    /// The trap in a slot has been hit. Returns its id.
    #[inline(never)]
    pub(super) fn hit(&mut self, slot: u16) -> Option<u32> {
        let Entry { listed, .. } = self.entries.iter_mut().flatten().find(|entry| entry.slot == slot)?;
        listed.hits = listed.hits.saturating_add(1);
        Some(listed.id)
    }
}
