//! What is around the machine, and outlives its resets: what the knobs set, and the journal of what was done to it.

use std::fmt::Arguments;

/// The longest journal that is kept, in lines.
const LONGEST: usize = 100_000;

#[derive(Debug)]
pub(crate) struct World {
    /// What the machine itself allows now.
    pub(crate) permitted: u8,
    /// Of the program.
    pub(crate) generation: u32,
    /// The interlock refuses every act.
    pub(crate) interlock: bool,
    /// The axes move.
    pub(crate) moving: bool,
    /// The machine cannot let go of a force.
    pub(crate) release_fails: bool,
    /// Recovery after a reset does not succeed.
    pub(crate) recovery_fails: bool,
    journal: Vec<String>,
}

impl World {
    pub(crate) const fn new() -> Self {
        Self {
            permitted: 31,
            generation: 1,
            interlock: false,
            moving: false,
            release_fails: false,
            recovery_fails: false,
            journal: Vec::new(),
        }
    }

    /// Writes into the journal.
    pub(crate) fn note(&mut self, line: Arguments<'_>) {
        if self.journal.len() < LONGEST {
            self.journal.push(line.to_string());
        }
    }

    /// What was done since this was last asked, in order.
    pub(crate) fn take_journal(&mut self) -> Vec<String> {
        std::mem::take(&mut self.journal)
    }
}

/// Bytes as the journal shows them.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
