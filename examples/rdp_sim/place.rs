//! What somebody connects to.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The operator's line: a byte stream, or the signal lane.
    Operator,
    /// The bulk lane beside it.
    Bulk,
    /// The observers' line.
    Observer,
}

impl Place {
    /// By the numbers of their listeners.
    pub(crate) const ALL: [Self; 3] = [Self::Operator, Self::Bulk, Self::Observer];
}
