//! PushPolicy (SPEC section 6.3).

use super::body::frame;
use super::field::{enumeration, fields};
use super::list::List;

frame! {
    /// At which addresses breakpoints are allowed. The answer is [`Done`](super::Done).
    pub struct PushPolicy<'a> = 0x32, from HOST {
        /// Another one than that of the policy before, at least 1.
        pub version: u32,
        /// Version of the policy whose place it takes, 0 if there is none.
        pub replaces: u32,
        /// Whether it is in force, or only laid down.
        pub enabled: bool,
        /// The first that contains an address decides.
        pub rules: List<'a, Rule, u8>,
    }
}

fields! {
    /// A rule of a policy.
    pub struct Rule {
        /// First address it is about.
        pub first: u64,
        /// Last address it is about.
        pub last: u64,
        /// What it says.
        pub action: Action,
    }
}

enumeration! {
    /// What a rule of a policy says of breakpoints at its addresses.
    // Exhaustive: a rule lets something be, or it does not.
    pub enum Action {
        /// There must be none.
        Deny = 0,
        /// There may be.
        Allow = 1,
    }
}
