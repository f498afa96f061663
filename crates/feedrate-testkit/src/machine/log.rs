//! The audit log of the fake machine, of a size that is chosen when the machine is made.

use std::fmt;

use feedrate::rdp::frame::Record;
use feedrate_rdp::audit::AuditRing;
use feedrate_rdp::target::{Audit, Full};

/// A ring of records.
pub struct Log(Box<dyn Audit>);

impl Log {
    /// Of `N` records.
    pub fn of<const N: usize>() -> Self {
        Self(Box::new(AuditRing::<N>::new()))
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Log({:?})", self.bounds())
    }
}

impl Audit for Log {
    fn append(&mut self, record: Record) -> Result<u32, Full> {
        self.0.append(record)
    }

    fn conclude(&mut self, index: u32, verdict: u16) {
        self.0.conclude(index, verdict);
    }

    fn bounds(&self) -> (u32, u32) {
        self.0.bounds()
    }

    fn get(&self, index: u32) -> Option<Record> {
        self.0.get(index)
    }

    fn release(&mut self, index: u32) {
        self.0.release(index);
    }
}
