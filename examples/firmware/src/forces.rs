//! What applies forces to the program's variables.
//!
//! The loop does it itself, at the beginning of every cycle and again before its outputs, as a PLC does. But the code
//! and the table lie where a debugger gets at neither (SPEC section 8.6), and forces end without the agent, too, when
//! it has not run for some time (SPEC section 8.9).
//!
//! The agent says what is wanted; only [`apply_forces`] changes variables. So it does not matter where in it the
//! agent interrupts it.

use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::Relaxed};

use crate::state::{MACHINE, VARIABLES};
use crate::{board, panel};

/// After how many milliseconds without a run of the agent forces end.
pub const STALL: u16 = 500;

struct Forced {
    /// The agent wants it forced, to this.
    wanted: AtomicBool,
    value: AtomicI32,
    /// At its end it gets this value, and not the one that it had before.
    has_safe: AtomicBool,
    safe: AtomicI32,
    /// It is forced, and had this value before.
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

/// When the agent has last said that it runs, as [`board::cycles`] counts.
static ALIVE: AtomicU32 = AtomicU32::new(0);

/// Holds a variable at a value from now on. `false`: there is no such variable.
pub fn force(place: usize, value: i32, safe: Option<i32>) -> bool {
    let Some(forced) = FORCES.get(place) else { return false };
    alive();
    forced.value.store(value, Relaxed);
    forced.has_safe.store(safe.is_some(), Relaxed);
    forced.safe.store(safe.unwrap_or_default(), Relaxed);
    forced.wanted.store(true, Relaxed);
    true
}

/// Lets go of it.
pub fn release(place: usize) {
    if let Some(forced) = FORCES.get(place) {
        forced.wanted.store(false, Relaxed);
    }
}

/// Whether it is forced, or still to be let go of.
pub fn is_forced(place: usize) -> bool {
    FORCES.get(place).is_some_and(|forced| forced.wanted.load(Relaxed) || forced.forced.load(Relaxed))
}

/// The agent runs.
pub fn alive() {
    ALIVE.store(board::cycles(), Relaxed);
}

/// Every millisecond: lets go of everything if the agent has not run for too long. First the stop reaction: the end
/// of a force can start motion.
pub fn tick() {
    const CYCLES: u32 = STALL as u32 * board::CYCLES_A_MS;
    if FORCES.iter().any(|forced| forced.wanted.load(Relaxed))
        && board::cycles().wrapping_sub(ALIVE.load(Relaxed)) >= CYCLES
    {
        panel::hold_feed();
        (0..VARIABLES).for_each(release);
    }
}

/// What the variables are to be, as far as that can be shown while the program stands in the midst of
/// [`apply_forces`]. It may still write what it has read there, and does all of it again in its next round.
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
