//! Applies forces to the program's variables.
//!
//! The loop applies them at the beginning of every cycle and again before its outputs, as a PLC does. But the code and
//! the table lie where a debugger cannot reach them (SPEC section 8.6), and forces also end by themselves when the
//! agent has not run for some time (SPEC section 8.9).
//!
//! The agent only sets what is wanted; [`apply_forces`] alone changes variables. So it does not matter where the agent
//! interrupts it.

use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::Relaxed};

use crate::state::{MACHINE, VARIABLES};
use crate::{board, panel};

/// After how many milliseconds without a run of the agent forces end.
pub const STALL: u16 = 500;

struct Forced {
    /// Whether the agent wants it forced, and to which value.
    wanted: AtomicBool,
    value: AtomicI32,
    /// Whether it gets this value at the end, instead of the one it had before.
    has_safe: AtomicBool,
    safe: AtomicI32,
    /// Whether it is forced, and which value it had before.
    forced: AtomicBool,
    before: AtomicI32,
}

impl Forced {
    /// What it gets at its end.
    #[inline(always)]
    fn end(&self) -> &AtomicI32 {
        if self.has_safe.load(Relaxed) { &self.safe } else { &self.before }
    }
}

static FORCES: [Forced; VARIABLES] = [const {
    Forced {
        wanted: AtomicBool::new(false),
        value: AtomicI32::new(0),
        has_safe: AtomicBool::new(false),
        safe: AtomicI32::new(0),
        forced: AtomicBool::new(false),
        before: AtomicI32::new(0),
    }
}; VARIABLES];

/// When the agent last ran, in [`board::cycles`].
static ALIVE: AtomicU32 = AtomicU32::new(0);

/// Forces a variable to a value from now on. `false`: there is no such variable.
pub fn force(place: usize, value: i32, safe: Option<i32>) -> bool {
    let Some(forced) = FORCES.get(place) else { return false };
    alive();
    forced.value.store(value, Relaxed);
    forced.has_safe.store(safe.is_some(), Relaxed);
    forced.safe.store(safe.unwrap_or_default(), Relaxed);
    forced.wanted.store(true, Relaxed);
    true
}

/// Releases it.
pub fn release(place: usize) {
    if let Some(forced) = FORCES.get(place) {
        forced.wanted.store(false, Relaxed);
    }
}

/// Whether it is forced, or still to be released.
pub fn is_forced(place: usize) -> bool {
    FORCES.get(place).is_some_and(|forced| forced.wanted.load(Relaxed) || forced.forced.load(Relaxed))
}

/// The agent runs.
pub fn alive() {
    ALIVE.store(board::cycles(), Relaxed);
}

/// Every millisecond: releases everything if the agent has not run for too long. The stop reaction comes first, because
/// the end of a force can start motion.
pub fn tick() {
    const CYCLES: u32 = STALL as u32 * board::CYCLES_A_MS;
    if FORCES.iter().any(|forced| forced.wanted.load(Relaxed))
        && board::cycles().wrapping_sub(ALIVE.load(Relaxed)) >= CYCLES
    {
        panel::hold_feed();
        (0..VARIABLES).for_each(release);
    }
}

/// Shows forced values at once, as far as possible while the program is stopped, perhaps inside [`apply_forces`]. The
/// program may then overwrite them with values it has already read, and applies all forces again in its next round.
pub fn show() {
    for (variable, forced) in MACHINE.variables.iter().zip(&FORCES) {
        if forced.forced.load(Relaxed) {
            let value = if forced.wanted.load(Relaxed) { &forced.value } else { forced.end() };
            variable.store(value.load(Relaxed), Relaxed);
        }
    }
}

// SAFETY: the linker's script has this section; the name is used once.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.forces")]
#[inline(never)]
pub extern "C" fn apply_forces() {
    for (variable, forced) in MACHINE.variables.iter().zip(&FORCES) {
        if forced.wanted.load(Relaxed) {
            if !forced.forced.load(Relaxed) {
                forced.before.store(variable.load(Relaxed), Relaxed);
                forced.forced.store(true, Relaxed);
            }
            variable.store(forced.value.load(Relaxed), Relaxed);
        } else if forced.forced.load(Relaxed) {
            variable.store(forced.end().load(Relaxed), Relaxed);
            forced.forced.store(false, Relaxed);
        }
    }
}
