//! The accounts of where the server is: one, unless nobody can know.

use super::machine::{Machine, Taken};
use crate::queue::{Queue, Slot};

/// As many accounts as are followed.
const MOST: usize = 3;

#[derive(Debug, Clone, Copy)]
pub(super) struct Machines {
    list: [Machine; MOST],
    used: u8,
}

impl Machines {
    pub(super) const ONE: Self = Self { list: [Machine::NEW; MOST], used: 1 };

    /// The only one, or the first.
    #[inline]
    pub(super) const fn first(&mut self) -> &mut Machine {
        let [first, ..] = &mut self.list;
        first
    }

    #[inline]
    pub(super) const fn is_one(&self) -> bool {
        self.used == 1
    }

    pub(super) fn all(&self) -> &[Machine] {
        self.list.get(..self.used.into()).unwrap_or_default()
    }

    fn all_mut(&mut self) -> &mut [Machine] {
        self.list.get_mut(..self.used.into()).unwrap_or_default()
    }

    /// Only the first is left.
    pub(super) const fn collapse(&mut self) {
        self.used = 1;
    }

    /// Has each account take a message, and keeps those that it fits.
    pub(super) fn each<M>(
        &mut self,
        queue: &mut Queue<M>,
        mut take: impl FnMut(&mut Machine, &Queue<M>) -> Taken,
    ) -> Outcome
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        let mut outcome = Outcome::Kept;
        if self.is_one() {
            match take(self.first(), queue) {
                Taken::No => return Outcome::None,
                Taken::Yes => {}
                Taken::Lost => outcome = Outcome::TooMany,
                Taken::Split(other) => {
                    outcome = if self.add(other, queue) { Outcome::Split } else { Outcome::TooMany };
                }
            }
        } else {
            let before = *self;
            self.used = 0;
            for machine in before.all() {
                let mut machine = *machine;
                let other = match take(&mut machine, queue) {
                    Taken::No => continue,
                    Taken::Yes => None,
                    Taken::Lost => {
                        outcome = Outcome::TooMany;
                        None
                    }
                    Taken::Split(other) => Some(other),
                };
                let fits = self.add(machine, queue);
                if !other.is_none_or(|other| self.add(other, queue)) || !fits {
                    outcome = Outcome::TooMany;
                }
            }
            if self.used == 0 {
                *self = before;
                return Outcome::None;
            }
        }
        self.trim(queue);
        outcome
    }

    /// Adds an account, if it differs from the others. `false`: there are too many.
    fn add<M>(&mut self, machine: Machine, queue: &Queue<M>) -> bool
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        if let Some(same) = self.all_mut().iter_mut().find(|its| its.is_same(&machine, queue)) {
            same.ghosts = same.ghosts.max(machine.ghosts);
            return true;
        }
        let Some(free) = self.list.get_mut(usize::from(self.used)) else { return false };
        *free = machine;
        self.used = self.used.saturating_add(1);
        true
    }

    /// Keeps only the account that has come furthest, if that makes room in the queue: whether it does.
    #[cold]
    pub(super) fn abandon<M>(&mut self, queue: &mut Queue<M>) -> bool
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        let furthest = self.all().iter().max_by_key(|its| its.place).copied();
        let Some(furthest) = furthest.filter(|furthest| queue.frees(furthest.place)) else { return false };
        self.collapse();
        *self.first() = furthest;
        self.trim(queue);
        true
    }

    /// Takes out of the queue what all accounts have passed.
    pub(super) fn trim<M>(&mut self, queue: &mut Queue<M>)
    where
        M: AsRef<[Slot]> + AsMut<[Slot]>,
    {
        while self.all().iter().all(|its| its.place.is_behind_front()) {
            let freed = queue.pop_slot();
            for machine in self.all_mut() {
                machine.place.popped(freed);
            }
        }
    }
}

/// What became of the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The message fits none.
    None,
    Kept,
    /// There is one more.
    Split,
    /// There are more than are followed.
    TooMany,
}
