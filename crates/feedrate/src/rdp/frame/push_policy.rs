//! PushPolicy (SPEC section 6.3).

use super::body::frame;
use super::field::{enumeration, fields};
use super::list::List;

frame! {
    /// Sets the addresses at which breakpoints are allowed. The answer is [`Done`](super::Done).
    pub struct PushPolicy<'a> = 0x32, from HOST {
        /// Different from that of the present policy, at least 1.
        pub version: u32,
        /// Version of the policy that it replaces, 0 if there is none.
        pub replaces: u32,
        /// Whether it is in force, or only stored.
        pub enabled: bool,
        /// The first rule that contains an address applies.
        pub rules: List<'a, Rule, u8>,
    }
}

fields! {
    /// A rule of a policy.
    pub struct Rule {
        /// The first address to which it applies.
        pub first: u64,
        /// The last address to which it applies.
        pub last: u64,
        /// What it decides.
        pub action: Action,
    }
}

enumeration! {
    /// What a rule of a policy decides about breakpoints at its addresses.
    // Exhaustive: a rule allows something, or it does not.
    pub enum Action {
        /// Breakpoints are not allowed.
        Deny = 0,
        /// Breakpoints are allowed.
        Allow = 1,
    }
}
