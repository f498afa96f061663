//! What is owed, in order: one entry for each message that the server still has to respond to.
//!
//! Counters cannot match responses to requests, because an error drops what follows up to a Sync, and a COPY swallows
//! messages that came too early. A queue can. Observer, client, server and pool share this one.

use core::fmt;
use core::num::NonZeroU32;

/// A frontend's message, as the queue keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Kind {
    /// Parse: ParseComplete is owed.
    Parse,
    /// Bind: BindComplete is owed.
    Bind,
    /// Describe of a statement: ParameterDescription, and RowDescription or NoData.
    DescribeStatement,
    /// Describe of a portal: RowDescription or NoData.
    DescribePortal,
    /// Execute: rows or a COPY, and its end.
    Execute,
    /// Execute with a limit of rows; `None`: it is not known what limit, or whether there is one.
    ExecuteUpTo(Option<NonZeroU32>),
    /// Close: CloseComplete.
    Close,
    /// Sync: ReadyForQuery.
    Sync,
    /// Sync with a body: an error, and ReadyForQuery.
    MalformedSync,
    /// Query: results, and ReadyForQuery.
    Query,
    /// FunctionCall: FunctionCallResponse and ReadyForQuery.
    FunctionCall,
    /// Flush: nothing, if its body is empty.
    Flush,
    /// Flush with a body, which is an error.
    MalformedFlush,
    /// CopyData: nothing.
    CopyData,
    /// CopyDone: nothing of its own.
    CopyDone,
    /// CopyFail: nothing of its own.
    CopyFail,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parse => "Parse",
            Self::Bind => "Bind",
            Self::DescribeStatement | Self::DescribePortal => "Describe",
            Self::Execute | Self::ExecuteUpTo(_) => "Execute",
            Self::Close => "Close",
            Self::Sync | Self::MalformedSync => "Sync",
            Self::Query => "Query",
            Self::FunctionCall => "FunctionCall",
            Self::Flush | Self::MalformedFlush => "Flush",
            Self::CopyData => "CopyData",
            Self::CopyDone => "CopyDone",
            Self::CopyFail => "CopyFail",
        })
    }
}

/// What becomes of the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Treatment {
    /// The peer that asked gets it.
    #[default]
    Forward,
    /// Somebody in the middle has asked: nobody else gets it.
    Skip,
    /// The server has not been asked: when it is this entry's turn, somebody in the middle makes the response.
    MadeUp,
}

/// One message that is still to be responded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Entry {
    /// What was asked.
    pub kind: Kind,
    /// What becomes of the response.
    pub treatment: Treatment,
    /// Whatever the queue's owner wants to remember with it.
    pub note: u8,
}

impl From<Kind> for Entry {
    fn from(kind: Kind) -> Self {
        Self { kind, treatment: Treatment::Forward, note: 0 }
    }
}

/// Room for one entry, however often it repeats. An array or slice of these is a [`Queue`]'s memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    entry: Entry,
    times: u32,
}

impl Slot {
    /// For making memory: `[Slot::EMPTY; 64]`.
    pub const EMPTY: Self =
        Self { entry: Entry { kind: Kind::Sync, treatment: Treatment::Forward, note: 0 }, times: 0 };
}

/// A place in the queue: how many slots behind the front, and how many entries of that slot are before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    slot: u32,
    used: u32,
}

impl Place {
    /// The front.
    pub(crate) const ORIGIN: Self = Self { slot: 0, used: 0 };

    /// Whether the front is before it.
    pub(crate) const fn is_behind_front(self) -> bool {
        self.slot > 0 || self.used > 0
    }

    /// The front, which was before it, has been popped.
    pub(crate) const fn popped(&mut self, freed: bool) {
        if self.slot == 0 {
            self.used = self.used.saturating_sub(1);
        } else if freed {
            self.slot = self.slot.saturating_sub(1);
        }
    }
}

/// The queue has no room: nothing has been counted. Read what the server sends, then try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[error("as many messages wait for their responses as the queue has room for: read the responses first")]
pub struct Full;

/// What is owed, in order, in the caller's memory `M`: an array, a slice, a `Vec` of [`Slot`]s.
///
/// Entries have numbers, which grow from 0 and are never used again: [`pushed`](Self::pushed) is the number of the
/// next one, [`popped`](Self::popped) of the front.
///
/// ```
/// use feedrate_pg::queue::{Kind, Queue, Slot};
///
/// let mut owed = Queue::new([Slot::EMPTY; 2]);
/// owed.push(Kind::Bind.into())?;
/// owed.push(Kind::Bind.into())?; // a repeat takes no room
/// owed.push(Kind::Sync.into())?;
/// assert!(owed.push(Kind::Query.into()).is_err());
/// assert_eq!(owed.len(), 3);
///
/// assert_eq!(owed.pop().unwrap().kind, Kind::Bind);
/// assert_eq!(owed.front().unwrap().kind, Kind::Bind);
/// # Ok::<(), feedrate_pg::Full>(())
/// ```
#[derive(Clone)]
pub struct Queue<M> {
    memory: M,
    /// The slot of the front.
    first: usize,
    /// Slots in use.
    used: usize,
    pushed: u64,
    popped: u64,
}

impl<M: AsRef<[Slot]> + AsMut<[Slot]>> Queue<M> {
    /// An empty queue.
    pub const fn new(memory: M) -> Self {
        Self { memory, first: 0, used: 0, pushed: 0, popped: 0 }
    }

    /// Adds an entry at the back, and returns its number.
    ///
    /// # Errors
    ///
    /// [`Full`]: nothing has changed.
    pub fn push(&mut self, entry: Entry) -> Result<u64, Full> {
        let pushed = self.pushed.checked_add(1).ok_or(Full)?;
        if !self.repeat(entry) {
            let at = self.at(self.used);
            if self.used >= self.memory.as_ref().len() {
                return Err(Full);
            }
            *self.memory.as_mut().get_mut(at).ok_or(Full)? = Slot { entry, times: 1 };
            self.used = self.used.saturating_add(1);
        }
        Ok(core::mem::replace(&mut self.pushed, pushed))
    }

    /// Whether [`push`](Self::push) has room for this many entries, whatever they are.
    pub fn has_room(&self, entries: usize) -> bool {
        self.memory.as_ref().len().saturating_sub(self.used) >= entries
    }

    /// Whether [`push`](Self::push) has room for this entry.
    pub fn fits(&self, entry: Entry) -> bool {
        self.has_room(1) || self.last().is_some_and(|slot| slot.entry == entry && slot.times < u32::MAX)
    }

    fn last(&self) -> Option<&Slot> {
        self.memory.as_ref().get(self.at(self.used.checked_sub(1)?))
    }

    /// One more of the last entry, if that is the same.
    fn repeat(&mut self, entry: Entry) -> bool {
        let Some(last) = self.used.checked_sub(1) else { return false };
        let at = self.at(last);
        match self.memory.as_mut().get_mut(at) {
            Some(slot) if slot.entry == entry => match slot.times.checked_add(1) {
                Some(times) => {
                    slot.times = times;
                    true
                }
                None => false,
            },
            _ => false,
        }
    }

    /// The oldest entry.
    #[inline]
    pub fn front(&self) -> Option<Entry> {
        if self.used == 0 { None } else { self.memory.as_ref().get(self.first).map(|slot| slot.entry) }
    }

    /// Takes the oldest entry out.
    #[inline]
    pub fn pop(&mut self) -> Option<Entry> {
        if self.used == 0 {
            return None;
        }
        let slot = self.memory.as_mut().get_mut(self.first)?;
        let entry = slot.entry;
        slot.times = slot.times.saturating_sub(1);
        if slot.times == 0 {
            self.used = self.used.saturating_sub(1);
            self.first = self.at(1);
        }
        self.popped = self.popped.saturating_add(1);
        Some(entry)
    }

    /// The entry at a place.
    pub(crate) fn get(&self, place: Place) -> Option<Entry> {
        self.slot(place).map(|(_, slot)| slot.entry)
    }

    /// The entry at a place, which moves on to the next one.
    pub(crate) fn next(&self, place: &mut Place) -> Option<Entry> {
        let (nth, slot) = self.slot(*place)?;
        let used = if nth == place.slot { place.used } else { 0 };
        *place = Place { slot: nth, used: used.saturating_add(1) };
        Some(slot.entry)
    }

    /// Whether the same entry is at both places.
    pub(crate) fn is_same(&self, one: Place, other: Place) -> bool {
        let canonical = |place: Place| {
            self.slot(place).map(|(nth, _)| (nth, if nth == place.slot { place.used } else { 0 }))
        };
        canonical(one) == canonical(other)
    }

    /// The slot of the entry at a place, and which one it is. A run may have grown since the place came to its end.
    fn slot(&self, place: Place) -> Option<(u32, &Slot)> {
        let nth = |nth: u32| {
            let index = usize::try_from(nth).ok().filter(|index| *index < self.used)?;
            self.memory.as_ref().get(self.at(index))
        };
        let slot = nth(place.slot)?;
        if place.used < slot.times {
            return Some((place.slot, slot));
        }
        let behind = place.slot.saturating_add(1);
        nth(behind).map(|slot| (behind, slot))
    }

    /// Whether taking out everything before a place frees a slot.
    pub(crate) fn frees(&self, place: Place) -> bool {
        let first = self.memory.as_ref().get(self.first).filter(|_| self.used > 0);
        first.is_some_and(|first| place.slot > 0 || place.used >= first.times)
    }

    /// Takes the oldest entry out, and returns whether its slot is free now, for [`Place::popped`].
    pub(crate) fn pop_slot(&mut self) -> bool {
        let used = self.used;
        self.pop();
        self.used < used
    }

    /// The index in memory of the slot that is `nth` from the front.
    #[inline]
    fn at(&self, nth: usize) -> usize {
        let length = self.memory.as_ref().len();
        let at = self.first.saturating_add(nth);
        at.checked_sub(length).unwrap_or(at)
    }

    /// The entries from the front, each repeat by itself.
    pub fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        let slots = (0..self.used).filter_map(|nth| self.memory.as_ref().get(self.at(nth)));
        slots.flat_map(|slot| (0..slot.times).map(|_| slot.entry))
    }

    /// How many entries there are, repeats counted.
    pub const fn len(&self) -> u64 {
        self.pushed.saturating_sub(self.popped)
    }

    /// Whether nothing is owed.
    pub const fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The number of the entry that is pushed next.
    pub const fn pushed(&self) -> u64 {
        self.pushed
    }

    /// The number of the front.
    pub const fn popped(&self) -> u64 {
        self.popped
    }
}

impl<M: AsRef<[Slot]> + AsMut<[Slot]>> fmt::Debug for Queue<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries((0..self.used).filter_map(|nth| self.memory.as_ref().get(self.at(nth))))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const KINDS: [Kind; 3] = [Kind::Bind, Kind::Execute, Kind::Sync];

    proptest! {
        /// Places stay where they are while entries come and go.
        #[test]
        fn places(steps in prop::collection::vec(0..6_usize, 0..200)) {
            let mut queue = Queue::new([Slot::EMPTY; 8]);
            let mut entries = Vec::<Entry>::new();
            let (mut place, mut number) = (Place::default(), 0);
            for step in steps {
                match KINDS.get(step) {
                    Some(&kind) => {
                        if queue.push(kind.into()).is_ok() {
                            entries.push(kind.into());
                        }
                    }
                    None if step == 3 && place.is_behind_front() => {
                        let freed = queue.pop_slot();
                        place.popped(freed);
                    }
                    None => {
                        prop_assert_eq!(queue.get(place), entries.get(number).copied());
                        let next = queue.next(&mut place);
                        prop_assert_eq!(next, entries.get(number).copied());
                        number += usize::from(next.is_some());
                    }
                }
                prop_assert_eq!(queue.get(place), entries.get(number).copied());
                prop_assert_eq!(place.is_behind_front(), queue.popped() < u64::try_from(number).unwrap());
            }
        }

        /// The same as a queue without run-length coding, until it is full; and then nothing changes.
        #[test]
        fn as_a_deque(slots in 0..6_usize, steps in prop::collection::vec(0..5_usize, 0..200)) {
            let mut queue = Queue::new(std::vec![Slot::EMPTY; slots]);
            let mut model = VecDeque::<Entry>::new();
            let mut popped = 0;
            for step in steps {
                if let Some(&kind) = KINDS.get(step) {
                    let entry = Entry::from(kind);
                    let runs = 1 + model.iter().zip(model.iter().skip(1)).filter(|(a, b)| a != b).count();
                    let fits = model.back().map_or(slots > 0, |last| *last == entry || runs < slots);
                    prop_assert_eq!(queue.fits(entry), fits);
                    let number = queue.push(entry);
                    prop_assert_eq!(number.ok(), fits.then_some(popped + u64::try_from(model.len()).unwrap()));
                    if fits {
                        model.push_back(entry);
                    }
                } else {
                    let front = queue.front();
                    prop_assert_eq!(queue.pop(), front);
                    prop_assert_eq!(front, model.pop_front());
                    popped += u64::from(front.is_some());
                }
                prop_assert_eq!(queue.iter().collect::<Vec<_>>(), model.iter().copied().collect::<Vec<_>>());
                prop_assert_eq!((queue.len(), queue.popped()), (u64::try_from(model.len()).unwrap(), popped));
                prop_assert_eq!(queue.is_empty(), model.is_empty());
            }
        }
    }
}
