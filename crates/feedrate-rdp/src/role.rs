//! Which of the two sides of a session.

/// Which of the two sides.
// Exhaustive: a session has two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The debugging tool.
    Host,
    /// The controller.
    Agent,
}
