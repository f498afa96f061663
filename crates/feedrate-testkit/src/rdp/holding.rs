//! A session that holds two forces and a trap, and what is to be done when they are taken back (SPEC section 8.7).

use feedrate::rdp::frame::{Cause, Domains};
use feedrate_rdp::agent::AgentConfig;

use super::frames::{VARIABLE, force, force_safe, set};
use super::rig::{CONFIG, Rig, token};
use crate::machine::Deed;

/// Where the trap is.
pub const TRAP: u64 = 0x100;
/// The variable without a safe value.
pub const OTHER: u64 = 0x3000;

/// Two variables are forced, one of them with a safe value, and a trap is set; the program runs.
pub fn holding(config: AgentConfig, seconds: u32) -> Rig {
    let mut rig = Rig::active_with(config, &token(Domains::ALL, seconds));
    rig.machine.stopped = false;
    rig.done(&set(TRAP, 1));
    rig.done(&force_safe(VARIABLE, 60_000));
    rig.done(&force(OTHER, 60_000));
    rig.machine.journal.take();
    rig
}

/// A session in which the program runs, and something is forced for ten minutes.
pub fn forced() -> Rig {
    let mut rig = Rig::active_with(CONFIG.lease(600_000), &token(Domains::ALL, 3_600));
    rig.machine.stopped = false;
    rig.done(&force(VARIABLE, 600_000));
    rig.machine.journal.take();
    rig
}

/// What was done, without what was asked and recorded.
pub fn done(deeds: &[Deed]) -> Vec<Deed> {
    let written = |deed: &Deed| {
        matches!(deed, Deed::Asked(..) | Deed::Recorded(_) | Deed::Refused(_) | Deed::Concluded(..))
    };
    deeds.iter().filter(|deed| !written(deed)).cloned().collect()
}

/// The events that were recorded: kind, cause, address.
pub fn events(deeds: &[Deed]) -> Vec<(u8, Cause, u64)> {
    let event = |deed: &Deed| match deed {
        Deed::Recorded(record) if record.kind >= 0xE0 => Some((record.kind, record.cause, record.addr)),
        _ => None,
    };
    deeds.iter().filter_map(event).collect()
}

/// What is let go of.
pub const LET_GO: [Deed; 2] = [Deed::LetGo(VARIABLE, true), Deed::LetGo(OTHER, true)];

/// The safe value of the one that has one.
pub fn safe() -> Deed {
    Deed::Safe(VARIABLE, vec![9; 4])
}

/// Reaction, forces, traps: in this order, and nothing else.
pub fn withdrawn(cause: Cause, forces: bool, traps: bool) -> Vec<Deed> {
    let [first, second] = LET_GO;
    let mut deeds = vec![Deed::Reacted(Some(cause), true)];
    if forces {
        deeds.extend([safe(), first, second]);
    }
    if traps {
        deeds.push(Deed::Disarmed(TRAP, true));
    }
    deeds
}
