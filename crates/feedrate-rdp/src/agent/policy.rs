//! Which addresses may have breakpoints (SPEC section 8.5).

use feedrate::rdp::frame::{Action, ErrorCode, PushPolicy, Rule};

use super::fail::Fail;

/// The maximum number of rules.
pub(super) const MOST: usize = 16;

/// The policy in force. It is replaced in one step, between two commands: none is ever half applied.
pub(super) struct Policy {
    version: u32,
    enabled: bool,
    rules: [Rule; MOST],
    /// How many rules there are.
    count: usize,
}

impl Policy {
    pub(super) const NEW: Self = Self {
        version: 0,
        enabled: false,
        rules: [Rule { first: 0, last: 0, action: Action::Allow }; MOST],
        count: 0,
    };

    /// Version, and whether it is in force.
    pub(super) const fn present(&self) -> (u32, bool) {
        (self.version, self.enabled)
    }

    /// Whether the pushed policy names the one that it replaces, and has another version.
    pub(super) fn may_be_replaced(&self, by: &PushPolicy<'_>) -> Result<(), Fail> {
        let known = by.replaces == self.version && by.version != self.version;
        if known { Ok(()) } else { Err(Fail::new(ErrorCode::Policy, self.version)) }
    }

    /// `needed`: where there is none, every address is forbidden.
    pub(super) fn check(&self, addr: u64, needed: bool) -> Result<(), Fail> {
        if needed && self.version == 0 {
            return Err(Fail::new(ErrorCode::Policy, 0));
        }
        let rule = self.rules.iter().take(self.count).find(|rule| (rule.first..=rule.last).contains(&addr));
        if self.enabled && rule.is_some_and(|rule| rule.action == Action::Deny) {
            return Err(Fail::new(ErrorCode::Policy, self.version));
        }
        Ok(())
    }

    pub(super) fn replace(&mut self, by: &PushPolicy<'_>) {
        (self.version, self.enabled) = (by.version, by.enabled);
        self.count = by.rules.len();
        for (place, rule) in self.rules.iter_mut().zip(by.rules) {
            *place = rule;
        }
    }
}
