//! The program that is debugged: a control loop for three axes and a spindle.
//!
//! Every cycle depends only on the cycles before, as long as no key but the start key is pressed and nothing is forced.
//! So the variables are a function of the cycle's number. The program cannot notice interruptions, and contains no code
//! for debugging.
//!
//! It and everything that it calls is in RAM, where breakpoints can be patched in. `tests/rig/firmware.sh` searches for
//! calls that leave RAM: the compiler's own helpers are in flash.

use core::sync::atomic::Ordering::Relaxed;

use crate::drives::REGISTERS;
use crate::forces::apply_forces;
use crate::panel::{DOOR, HOLD, START};
use crate::program::{BLOCKS, Block, LENGTH, Shape};
use crate::state::*;

/// An axis that is farther from its setpoint raises an alarm.
const FOLLOWING_ERROR_LIMIT: i32 = 2_000_000;
const IN_POSITION: i32 = 1_000;

/// The program. It never ends, and begins when the cycle is started at the panel.
// SAFETY, here and below: the linker's script has this section; the name is used once.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
pub extern "C" fn control_loop() -> ! {
    loop {
        if MACHINE.inputs.load(Relaxed) & START != 0 {
            control_cycle();
        }
    }
}

#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
#[inline(never)]
extern "C" fn control_cycle() {
    let machine = &MACHINE;
    let cycle = machine.cycle.load(Relaxed).wrapping_add(1);
    machine.cycle.store(cycle, Relaxed);
    // Before the values are used, and again before they are output, so that the loop's own writes have no effect.
    apply_forces();
    if machine.inputs.load(Relaxed) & HOLD == 0 {
        advance();
    }
    let portion = portion();
    let block = block();
    for (axis, (state, to)) in (0..).zip(machine.axes.iter().zip(&block.to)) {
        let setpoint = between(state.from.load(Relaxed), *to, portion);
        let position = axis_update(axis, state.position.load(Relaxed), setpoint);
        state.position.store(position, Relaxed);
    }
    spindle_update();
    apply_forces();
    plc_scan();
    command_drives(cycle);
}

/// One cycle of an axis: moves from `position` towards `setpoint`, and returns the new position.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
#[inline(never)]
pub extern "C" fn axis_update(axis: u32, position: i32, setpoint: i32) -> i32 {
    let machine = &MACHINE;
    let Some(state) = machine.axes.get(axis as usize) else { return position };
    let error = setpoint.wrapping_sub(position);
    let limit = machine.variables[VELOCITY_LIMIT].load(Relaxed);
    // A gain of zero stops the axis.
    let wanted = error.checked_div(machine.variables[GAIN].load(Relaxed)).unwrap_or(0);
    let velocity = wanted.min(limit).max(limit.wrapping_neg());
    state.setpoint.store(setpoint, Relaxed);
    state.following_error.store(error, Relaxed);
    state.velocity.store(velocity, Relaxed);
    position.wrapping_add(velocity)
}

/// Advances the time, and starts the next block at the end of one.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
#[inline(never)]
extern "C" fn advance() {
    let machine = &MACHINE;
    let feed = machine.variables[FEED_OVERRIDE].load(Relaxed).clamp(0, 200);
    let time = machine.time.load(Relaxed).wrapping_add(feed as u32);
    if time >= LENGTH {
        machine.time.store(0, Relaxed);
        next_block();
    } else {
        machine.time.store(time, Relaxed);
    }
}

#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
#[inline(never)]
extern "C" fn next_block() {
    let machine = &MACHINE;
    for (state, to) in machine.axes.iter().zip(&block().to) {
        state.from.store(*to, Relaxed);
    }
    let next = machine.block.load(Relaxed) as usize + 1;
    machine.block.store(if next < BLOCKS.len() { next as u32 } else { 0 }, Relaxed);
}

#[inline(always)]
fn block() -> &'static Block {
    let [first, ..] = &BLOCKS;
    BLOCKS.get(MACHINE.block.load(Relaxed) as usize).unwrap_or(first)
}

/// How much of the block's way is done, in 1024ths.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
#[inline(never)]
extern "C" fn portion() -> u32 {
    let done = MACHINE.time.load(Relaxed) / (LENGTH / 1024);
    match block().shape {
        Shape::Dwell => 1024,
        // Twice as fast, and there early.
        Shape::Rapid => (done * 2).min(1024),
        Shape::Linear => done,
        // 3x^2 - 2x^3
        Shape::Smooth => (done * done * (3 * 1024 - 2 * done)) >> 20,
        Shape::Decelerating => (done * (2 * 1024 - done)) >> 10,
        // There, half back, four times, and at last there.
        Shape::Peck => {
            let stroke = done & 0xFF;
            let depth = (done & !0xFF) + if stroke < 0x80 { stroke * 2 } else { 0x180 - stroke };
            depth.min(1024)
        }
    }
}

#[inline(always)]
fn between(from: i32, to: i32, portion: u32) -> i32 {
    let way = i64::from(to) - i64::from(from);
    from.wrapping_add(((way * i64::from(portion)) >> 10) as i32)
}

#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
#[inline(never)]
extern "C" fn spindle_update() {
    let machine = &MACHINE;
    let wanted = if machine.inputs.load(Relaxed) & (HOLD | DOOR) != 0 {
        // Held, or the door is open.
        0
    } else {
        block().spindle.wrapping_mul(machine.variables[SPINDLE_OVERRIDE].load(Relaxed)) / 100
    };
    let speed = machine.spindle.speed.load(Relaxed);
    let speed = if speed < wanted { (speed + 25).min(wanted) } else { (speed - 25).max(wanted) };
    machine.spindle.speed.store(speed, Relaxed);
    // 2^32 / 60 / 10 000: ten thousand cycles a second.
    let angle = machine.spindle.angle.load(Relaxed).wrapping_add((speed as u32).wrapping_mul(7158));
    machine.spindle.angle.store(angle, Relaxed);
    machine.variables[COOLANT].store((speed != 0).into(), Relaxed);
}

/// The PLC's registers: 0 inputs, 1 outputs, 2 alarms, 3 spindle speed, 4 feed override, 5 block, 6 life,
/// 7 how many ran.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
#[inline(never)]
extern "C" fn plc_scan() {
    let machine = &MACHINE;
    let mut outputs = 0;
    let mut alarms = 0;
    for (axis, state) in (0..).zip(&machine.axes) {
        let error = state.following_error.load(Relaxed).wrapping_abs();
        if error <= IN_POSITION {
            outputs |= 0x10u16 << axis;
        }
        if error > FOLLOWING_ERROR_LIMIT {
            alarms |= 1u16 << axis;
        }
    }
    let speed = machine.spindle.speed.load(Relaxed);
    if speed != 0 {
        outputs |= 1;
    }
    if machine.variables[COOLANT].load(Relaxed) != 0 {
        outputs |= 2;
    }
    let inputs = machine.inputs.load(Relaxed);
    if inputs & DOOR != 0 {
        alarms |= 0x100;
    }
    let [in_, out, alarm, spindle, feed, block, life, scans] = &machine.plc;
    in_.store(inputs as u16, Relaxed);
    out.store(outputs, Relaxed);
    alarm.store(alarms, Relaxed);
    spindle.store(speed as u16, Relaxed);
    feed.store(machine.variables[FEED_OVERRIDE].load(Relaxed) as u16, Relaxed);
    block.store(machine.block.load(Relaxed) as u16, Relaxed);
    life.store(life.load(Relaxed).rotate_left(1) ^ outputs, Relaxed);
    scans.store(scans.load(Relaxed).wrapping_add(1), Relaxed);
}

/// Commands the drives, and tells them in every cycle that the program is alive.
#[unsafe(no_mangle)]
#[unsafe(link_section = ".machine.code")]
#[inline(never)]
extern "C" fn command_drives(cycle: u32) {
    let machine = &MACHINE;
    for (wanted, axis) in REGISTERS.axes.iter().zip(&machine.axes) {
        wanted.store(axis.position.load(Relaxed), Relaxed);
    }
    REGISTERS.speed.store(machine.spindle.speed.load(Relaxed), Relaxed);
    REGISTERS.beat.store(cycle, Relaxed);
}
