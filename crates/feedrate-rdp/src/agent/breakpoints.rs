//! Which breakpoints the host has set.

use feedrate::rdp::frame::Listed;

use crate::target::Target;

/// The most there can be.
const MOST: usize = 16;

/// A breakpoint, and the target's slot that it takes.
type Entry = (Listed, u16);

pub(super) struct Table {
    entries: [Option<Entry>; MOST],
}

impl Table {
    pub(super) const NEW: Self = Self { entries: [None; MOST] };

    pub(super) const fn slots(&self) -> u16 {
        16
    }

    pub(super) fn len(&self) -> u16 {
        self.entries.iter().flatten().fold(0, |count: u16, _| count.saturating_add(1))
    }

    pub(super) fn find(&self, id: u32) -> Option<Entry> {
        self.entries.iter().flatten().find(|(listed, _)| listed.id == id).copied()
    }

    /// The one with the lowest id from `from` on.
    pub(super) fn first(&self, from: u32) -> Option<Listed> {
        let mut first: Option<&Listed> = None;
        for (listed, _) in self.entries.iter().flatten() {
            if listed.id >= from && first.is_none_or(|first| listed.id < first.id) {
                first = Some(listed);
            }
        }
        first.copied()
    }

    pub(super) fn insert(&mut self, listed: Listed, slot: u16) {
        if let Some(place) = self.entries.iter_mut().find(|entry| entry.is_none()) {
            *place = Some((listed, slot));
        }
    }

    pub(super) fn remove(&mut self, id: u32) {
        for entry in &mut self.entries {
            if entry.is_some_and(|(listed, _)| listed.id == id) {
                *entry = None;
            }
        }
    }

    /// The one in a slot has been met. Returns its id.
    pub(super) fn hit(&mut self, slot: u16) -> Option<u32> {
        let (listed, _) = self.entries.iter_mut().flatten().find(|(_, taken)| *taken == slot)?;
        listed.hits = listed.hits.saturating_add(1);
        Some(listed.id)
    }

    pub(super) fn clear_all<T: Target>(&mut self, target: &mut T) {
        for entry in &mut self.entries {
            if let (Some((_, slot)), Some(breakpoints)) = (entry.take(), target.breakpoints()) {
                let _ = breakpoints.clear(slot);
            }
        }
    }
}
