//! The operator's panel: keys that come as bytes, and the state that they switch. On a real board these are inputs.
//!
//! The interlock uses them, so they lie where neither the debugged program nor a debugger can write (SPEC section 8.6).
//! The program gets a copy, in [`State::inputs`](crate::state::State::inputs).

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

use feedrate::rdp::frame::Domains;

use crate::board::{self, PANEL};
use crate::state::MACHINE;

/// The feed is held.
pub const HOLD: u32 = 1;
/// The door is open.
pub const DOOR: u32 = 2;
/// The cycle has been started. A reset stops it: nothing moves until somebody starts it here.
pub const START: u32 = 4;

/// [`HOLD`], [`DOOR`], [`START`].
// SAFETY: the name is used once. `tests/rig/firmware_trace.py` starts the cycle by it.
#[unsafe(no_mangle)]
static PANEL_INPUTS: AtomicU32 = AtomicU32::new(0);

/// The machine has come through its reset: the cycle can be started.
static RECOVERED: AtomicBool = AtomicBool::new(false);

/// The mode selector is at automatic, not at set-up.
static AUTOMATIC: AtomicBool = AtomicBool::new(false);

/// Whether the agent is to stall, and since when, in [`board::cycles`].
static STALLED: AtomicBool = AtomicBool::new(false);
static SINCE: AtomicU32 = AtomicU32::new(0);
/// For so long.
const STALL: u32 = 1000 * board::CYCLES_A_MS;

/// Every millisecond.
pub fn tick() {
    if board::cycles().wrapping_sub(SINCE.load(Relaxed)) >= STALL {
        STALLED.store(false, Relaxed);
    }
    while let Some(key) = PANEL.read() {
        match key {
            b's' if RECOVERED.load(Relaxed) => set(START),
            b'h' => set(HOLD),
            b'r' => clear(HOLD),
            b'o' => set(DOOR),
            b'c' => clear(DOOR),
            b'a' => AUTOMATIC.store(true, Relaxed),
            b'u' => AUTOMATIC.store(false, Relaxed),
            // To test what happens to forces then.
            b'z' => {
                SINCE.store(board::cycles(), Relaxed);
                STALLED.store(true, Relaxed);
            }
            _ => {}
        }
    }
    MACHINE.inputs.store(inputs(), Relaxed);
}

pub fn inputs() -> u32 {
    PANEL_INPUTS.load(Relaxed)
}

/// Allows the cycle to be started.
pub fn recovered() {
    RECOVERED.store(true, Relaxed);
}

/// The stop reaction: holds the feed, as the key does.
pub fn hold_feed() {
    set(HOLD);
}

/// What the machine permits: no forcing in automatic mode.
pub fn permitted() -> Domains {
    if AUTOMATIC.load(Relaxed) { Domains(Domains::ALL.0 & !Domains::FORCE.0) } else { Domains::ALL }
}

/// Whether the agent is to stall.
pub fn is_stalled() -> bool {
    STALLED.load(Relaxed)
}

fn set(input: u32) {
    PANEL_INPUTS.fetch_or(input, Relaxed);
}

fn clear(input: u32) {
    PANEL_INPUTS.fetch_and(!input, Relaxed);
}
