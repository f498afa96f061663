//! SetWatchpoint (SPEC section 6.3).

use super::body::frame;
use super::field::enumeration;

frame! {
    /// Stops the program when data is accessed. The answer is [`BreakpointSet`](super::BreakpointSet).
    pub struct SetWatchpoint = 0x06, from HOST {
        /// Address of the data.
        pub addr: u64,
        /// Chosen by the host, unique in the session among breakpoints and watchpoints.
        pub id: u32,
        /// Bytes that are watched, at least 1.
        pub length: u32,
        /// Which accesses count.
        pub access: Access,
    }
}

enumeration! {
    /// An access to data.
    // Exhaustive: the specification's table. A target has to handle each.
    pub enum Access {
        /// Reading.
        Read = 1,
        /// Writing.
        Write = 2,
        /// Either.
        Any = 3,
    }
}
