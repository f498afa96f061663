//! Faults of the agent itself, as the fake machine would see them.

/// A fault of the agent itself, made to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sabotage {
    /// None.
    #[default]
    None,
    /// A command is executed twice.
    Twice,
    /// A command is executed after the one that follows it.
    Late,
    /// A command is executed with another address than was sent.
    Altered,
    /// A command of the session before is executed.
    Earlier,
    /// A command has no effect, and is answered as if it had.
    Idle,
    /// A forced variable is not let go of.
    Held,
    /// Memory that was read at another address.
    Mixed,
    /// A read is done twice.
    Reread,
    /// Registers of an earlier capture.
    Outdated,
}
