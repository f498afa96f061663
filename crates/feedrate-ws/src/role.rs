//! The two sides of a connection.

use core::fmt;

/// One of the two sides.
// Exhaustive: RFC 6455, section 1.2 defines two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Role {
    /// Requests the connection, and masks what it sends.
    Client,
    /// Accepts it.
    Server,
}

impl Role {
    /// The side at the other end.
    ///
    /// ```
    /// use feedrate_ws::Role;
    ///
    /// assert_eq!(Role::Client.peer(), Role::Server);
    /// ```
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}
