//! What the fake machine remembers of the agent, to see whether it does what it must not.

use feedrate_rdp::target::Act;

/// What the machine remembers of the agent, to see whether it does what it must not.
#[derive(Debug)]
pub struct Watch {
    /// What the interlock has permitted last, until it is done.
    pub(super) granted: Option<Act>,
    /// The record of the command that is being executed: index and kind.
    pub(super) open: Option<(u32, u8)>,
    /// A record has found no room: that of a Halt may be missing.
    pub(super) lost: bool,
    /// Steps go on without a record of their own.
    pub(super) stepping: bool,
    /// The last command of each channel, and the last Halt and Release: session and sequence.
    pub(super) last: [Option<(u32, u32)>; 2],
    pub(super) halted: Option<(u32, u32)>,
    pub(super) released: Option<(u32, u32)>,
    /// What was let go of at a stall, and the agent does not know yet.
    pub(super) dropped: Vec<u64>,
}

impl Watch {
    pub(super) const NEW: Self = Self {
        granted: None,
        open: None,
        lost: false,
        stepping: false,
        last: [None; 2],
        halted: None,
        released: None,
        dropped: Vec::new(),
    };
}
