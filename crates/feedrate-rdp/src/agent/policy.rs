//! Which addresses may have breakpoints (SPEC section 8.3).

use feedrate::rdp::frame::{Action, ErrorCode, PushPolicy, Rule};

use super::fail::Fail;

/// The most rules there can be.
const MOST: usize = 16;

/// A policy.
#[derive(Debug, Clone, Copy)]
struct Policy {
    version: u32,
    enabled: bool,
    rules: [Option<Rule>; MOST],
}

/// The one in force, and a place to put the next one together, so that none is ever half applied.
pub(super) struct Policies {
    policies: [Policy; 2],
    present: bool,
}

impl Policies {
    const NONE: Policy = Policy { version: 0, enabled: false, rules: [None; MOST] };
    pub(super) const NEW: Self = Self { policies: [Self::NONE; 2], present: false };

    pub(super) const fn slots(&self) -> u8 {
        16
    }

    const fn policy(&self) -> &Policy {
        let [first, second] = &self.policies;
        if self.present { second } else { first }
    }

    /// Version, and whether it is in force.
    pub(super) const fn present(&self) -> (u32, bool) {
        let policy = self.policy();
        (policy.version, policy.enabled)
    }

    pub(super) fn is_newer(&self, version: u32) -> Result<(), Fail> {
        let (present, _) = self.present();
        if version > present { Ok(()) } else { Err(Fail(ErrorCode::Policy, present)) }
    }

    pub(super) fn check(&self, addr: u64) -> Result<(), Fail> {
        let policy = self.policy();
        let rule = policy.rules.iter().flatten().find(|rule| (rule.first..=rule.last).contains(&addr));
        if policy.enabled && rule.is_some_and(|rule| rule.action == Action::Deny) {
            return Err(Fail(ErrorCode::Policy, policy.version));
        }
        Ok(())
    }

    pub(super) fn put(&mut self, pushed: &PushPolicy<'_>) {
        let [first, second] = &mut self.policies;
        let next = if self.present { first } else { second };
        (next.version, next.enabled) = (pushed.version, pushed.enabled);
        next.rules = [None; MOST];
        for (place, rule) in next.rules.iter_mut().zip(pushed.rules) {
            *place = Some(rule);
        }
        self.present = !self.present;
    }
}
