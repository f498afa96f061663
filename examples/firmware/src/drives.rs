//! The drives: what moves the axes and turns the spindle. They stand for hardware, which has registers that the
//! program writes, controllers and encoders of its own, and a watchdog.
//!
//! The watchdog expects a beat from the program at least every 20 ms. Without it the drives stop by themselves, as in a
//! feed hold, whatever has happened to the program. That is why the program can be halted, and traps be set in it,
//! while the axes move (SPEC section 8.3). The drives continue after a number of beats in a row, so that a program that
//! is being stepped moves nothing.

use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering::Relaxed};

use crate::panel;

pub const AXES: usize = 3;

/// What the program writes in each of its cycles.
pub struct Registers {
    /// Setpoints of the axes, in nanometres.
    pub axes: [AtomicI32; AXES],
    /// Revolutions a minute.
    pub speed: AtomicI32,
    /// A number that changes with each beat.
    pub beat: AtomicU32,
}

pub static REGISTERS: Registers = Registers {
    axes: [const { AtomicI32::new(0) }; AXES],
    speed: AtomicI32::new(0),
    beat: AtomicU32::new(0),
};

/// What the drives have measured, and their state.
struct Drives {
    /// Where the axes are, in nanometres, and how far they go in this millisecond.
    axes: [(AtomicI32, AtomicI32); AXES],
    speed: AtomicI32,
    last_beat: AtomicU32,
    /// Milliseconds since the last beat, and beats since the last silence.
    silent: AtomicU32,
    beats: AtomicU32,
    /// Milliseconds for which the axes have not moved.
    still: AtomicU32,
    off: AtomicBool,
}

static DRIVES: Drives = Drives {
    axes: [const { (AtomicI32::new(0), AtomicI32::new(0)) }; AXES],
    speed: AtomicI32::new(0),
    last_beat: AtomicU32::new(0),
    silent: AtomicU32::new(SILENCE),
    beats: AtomicU32::new(0),
    still: AtomicU32::new(0),
    off: AtomicBool::new(false),
};

/// After this many milliseconds without a beat the drives stop.
const SILENCE: u32 = 20;
/// After this many beats they follow the program again.
const BEATS: u32 = 20;
/// After this many milliseconds without motion an axis counts as stopped.
const STILL: u32 = 50;
/// Revolutions a minute by which the speed changes in a millisecond.
const RAMP: i32 = 60;

/// Every millisecond.
pub fn tick() {
    let drives = &DRIVES;
    let beat = REGISTERS.beat.load(Relaxed);
    if beat == drives.last_beat.swap(beat, Relaxed) {
        let silent = drives.silent.load(Relaxed).saturating_add(1);
        drives.silent.store(silent, Relaxed);
        if silent >= SILENCE {
            drives.beats.store(0, Relaxed);
        }
    } else {
        drives.silent.store(0, Relaxed);
        // Several may have come since the last millisecond: one of them is enough.
        drives.beats.store(drives.beats.load(Relaxed).saturating_add(1), Relaxed);
    }
    let off = drives.off.load(Relaxed);
    let follow = drives.beats.load(Relaxed) >= BEATS && panel::inputs() & panel::HOLD == 0 && !off;
    let mut moves = false;
    for ((position, velocity), wanted) in drives.axes.iter().zip(&REGISTERS.axes) {
        let (at, before) = (position.load(Relaxed), velocity.load(Relaxed));
        let now = if follow {
            quarter(wanted.load(Relaxed).wrapping_sub(at))
        } else {
            before.wrapping_sub(quarter(before))
        };
        velocity.store(now, Relaxed);
        position.store(at.wrapping_add(now), Relaxed);
        moves |= now != 0;
    }
    drives.still.store(if moves { 0 } else { drives.still.load(Relaxed).saturating_add(1) }, Relaxed);
    let wanted = if follow { REGISTERS.speed.load(Relaxed) } else { 0 };
    let speed = drives.speed.load(Relaxed);
    drives.speed.store(speed.wrapping_add(wanted.wrapping_sub(speed).clamp(-RAMP, RAMP)), Relaxed);
}

/// A quarter of `value`, or all of it if a quarter is zero.
fn quarter(value: i32) -> i32 {
    match value / 4 {
        0 => value,
        quarter => quarter,
    }
}

/// Whether the axes stand.
pub fn axes_stand() -> bool {
    DRIVES.still.load(Relaxed) >= STILL
}

/// Whether the spindle stands, too.
pub fn all_stands() -> bool {
    axes_stand() && DRIVES.speed.load(Relaxed) == 0
}

/// Where an axis is.
pub fn position(axis: usize) -> Option<i32> {
    DRIVES.axes.get(axis).map(|(position, _)| position.load(Relaxed))
}

/// Switches the power off until the next reset: the fail-safe.
pub fn switch_off() {
    DRIVES.off.store(true, Relaxed);
}
