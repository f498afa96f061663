//! Bye (SPEC sections 5.8 and 6.3).

use super::body::frame;
use super::cause::Cause;

frame! {
    /// The sender ends the session. The answer is another Bye.
    pub struct Bye = 0x43, from BOTH {
        /// Why the session ends.
        pub reason: Cause,
    }
}
