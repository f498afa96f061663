//! Faults of an agent that the checks must find.

/// A fault of the agent itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sabotage {
    /// None.
    #[default]
    None,
    /// A command is executed twice.
    Twice,
    /// A command is executed after one that follows it.
    Late,
    /// A command is executed with another address than was sent.
    Altered,
    /// A command of a session that there never was is executed.
    Stranger,
    /// A command is executed that nobody sent.
    Unsent,
    /// A command has no effect, and is answered as if it had.
    Idle,
    /// A command is executed long after it was sent.
    Old,
    /// A command is answered as done, and there is no record of it.
    Unrecorded,
    /// A forced variable is not let go of when the session ends.
    Held,
    /// A force is held for longer than its lease.
    Overlong,
    /// Forces end without the stop reaction.
    NoReaction,
    /// Traps are cleared before forces are let go of.
    TrapsFirst,
    /// The end of a force is not recorded.
    NoEnd,
    /// Memory that was read at another address.
    Mixed,
    /// A read is done twice.
    Reread,
    /// Registers of another capture.
    Outdated,
}
