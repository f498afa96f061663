//! What has happened, in numbers.

use std::collections::BTreeMap;
use std::fmt;

/// What has happened in some schedules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counts: BTreeMap<(&'static str, String), u64>,
}

impl Tally {
    pub(super) fn add(&mut self, group: &'static str, name: impl Into<String>, n: u64) {
        *self.counts.entry((group, name.into())).or_default() += n;
    }

    /// Adds what happened in other schedules.
    pub fn absorb(&mut self, other: &Self) {
        for ((group, name), n) in &other.counts {
            *self.counts.entry((group, name.clone())).or_default() += n;
        }
    }

    /// How often something happened.
    pub fn get(&self, group: &'static str, name: &str) -> u64 {
        self.counts.get(&(group, name.to_string())).copied().unwrap_or_default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for ((group, name), n) in &self.counts {
            if *group != last {
                writeln!(f, "{group}")?;
                last = group;
            }
            writeln!(f, "  {n:>12}  {name}")?;
        }
        Ok(())
    }
}
