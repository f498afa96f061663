//! The state of the program's loop, with the variables that are worth watching.

use core::sync::atomic::{AtomicI32, AtomicU16, AtomicU32};

/// What is worth watching. Positions are nanometres.
#[repr(C)]
pub struct State {
    /// Cycles since the start.
    pub cycle: AtomicU32,
    /// How far the block has got: [`LENGTH`] is its end. Does not advance in a feed hold.
    pub time: AtomicU32,
    /// The block that is run, as a place in [`BLOCKS`].
    pub block: AtomicU32,
    pub axes: [Axis; 3],
    pub spindle: Spindle,
    pub plc: [AtomicU16; 8],
    /// What is switched at the panel: [`HOLD`], [`DOOR`], [`START`].
    pub inputs: AtomicU32,
    /// What can be forced, by the names below.
    pub variables: [AtomicI32; VARIABLES],
}

#[repr(C)]
pub struct Axis {
    pub position: AtomicI32,
    pub setpoint: AtomicI32,
    pub following_error: AtomicI32,
    /// Per cycle.
    pub velocity: AtomicI32,
    /// Where it stood when the block began.
    pub from: AtomicI32,
}

#[repr(C)]
pub struct Spindle {
    /// Revolutions a minute.
    pub speed: AtomicI32,
    /// A whole turn is 2^32.
    pub angle: AtomicU32,
}

/// Places in [`State::variables`].
pub const VARIABLES: usize = 5;
/// Percent of the programmed feed.
pub const FEED_OVERRIDE: usize = 0;
/// Percent of the programmed spindle speed.
pub const SPINDLE_OVERRIDE: usize = 1;
/// The following error is divided by this to get the velocity.
pub const GAIN: usize = 2;
/// Nanometres a cycle.
pub const VELOCITY_LIMIT: usize = 3;
/// Set by the loop itself in every cycle.
pub const COOLANT: usize = 4;

const AXIS: Axis = Axis {
    position: AtomicI32::new(0),
    setpoint: AtomicI32::new(0),
    following_error: AtomicI32::new(0),
    velocity: AtomicI32::new(0),
    from: AtomicI32::new(0),
};

// SAFETY: the linker's script has this section, in RAM and initialised; the name is used once.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.data")]
pub static MACHINE: State = State {
    cycle: AtomicU32::new(0),
    time: AtomicU32::new(0),
    block: AtomicU32::new(0),
    axes: [AXIS; 3],
    spindle: Spindle { speed: AtomicI32::new(0), angle: AtomicU32::new(0) },
    plc: [const { AtomicU16::new(0) }; 8],
    inputs: AtomicU32::new(0),
    variables: [
        AtomicI32::new(100),
        AtomicI32::new(100),
        AtomicI32::new(8),
        AtomicI32::new(600_000),
        AtomicI32::new(0),
    ],
};
