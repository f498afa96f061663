//! The audit log of the fake machine, of a size that is chosen when the machine is made.

use std::fmt;

use feedrate::rdp::frame::{Durability, Record};
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::target::{Audit, Full};

/// A ring of records.
pub struct Log(Box<dyn Audit>);

impl Log {
    /// Of `N` records of what was done, and `REFUSED` of what was refused.
    pub fn of<const N: usize, const REFUSED: usize>() -> Self {
        Self(Box::new(AuditRing::<N, REFUSED>::new()))
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({:?})", self.bounds())
    }
}

impl Audit for Log {
    fn durability(&self) -> Durability {
        self.0.durability()
    }

    fn append(&mut self, record: Record, keep: usize) -> Result<u32, Full> {
        self.0.append(record, keep)
    }

    fn refused(&mut self, record: Record) {
        self.0.refused(record);
    }

    fn conclude(&mut self, index: u32, verdict: u16) {
        self.0.conclude(index, verdict);
    }

    fn bounds(&self) -> (u32, u32) {
        self.0.bounds()
    }

    fn first_from(&self, index: u32) -> Option<Record> {
        self.0.first_from(index)
    }

    fn last_below(&self, index: u32) -> Option<Record> {
        self.0.last_below(index)
    }

    fn release(&mut self, index: u32) {
        self.0.release(index);
    }

    fn lose(&mut self) {
        self.0.lose();
    }

    fn lost(&self) -> u32 {
        self.0.lost()
    }
}
