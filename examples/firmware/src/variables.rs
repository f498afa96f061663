//! The program's variables, by name (SPEC section 6.4).

use feedrate::rdp::frame::{Bytes, Type, Variable};

use crate::state::{MACHINE, VARIABLES};

/// Those that can be forced, in the order of [`State::variables`](crate::state::State::variables).
const FORCEABLE: [&str; VARIABLES] =
    ["feed_override", "spindle_override", "gain", "velocity_limit", "coolant"];
/// How many others there are.
const OTHERS: usize = 7;

pub const COUNT: u16 = (VARIABLES + OTHERS) as u16;

/// The one with this number. All of them have four bytes.
pub fn variable(number: u16) -> Option<Variable<'static>> {
    let number = usize::from(number);
    let (name, at, kind, flags) = match FORCEABLE.get(number) {
        Some(name) => {
            (*name, MACHINE.variables.get(number)?.as_ptr().addr(), Type::Signed, Variable::FORCEABLE)
        }
        None => {
            let (name, at, kind) = other(number.checked_sub(VARIABLES)?)?;
            (name, at, kind, 0)
        }
    };
    Some(Variable { addr: at as u64, kind, length: 4, flags, name: Bytes::new(name.as_bytes()) })
}

/// One that can only be looked at: its name, where it is, and what.
fn other(number: usize) -> Option<(&'static str, usize, Type)> {
    let [x, y, z] = &MACHINE.axes;
    Some(match number {
        0 => ("cycle", MACHINE.cycle.as_ptr().addr(), Type::Unsigned),
        1 => ("block", MACHINE.block.as_ptr().addr(), Type::Unsigned),
        2 => ("x", x.position.as_ptr().addr(), Type::Signed),
        3 => ("y", y.position.as_ptr().addr(), Type::Signed),
        4 => ("z", z.position.as_ptr().addr(), Type::Signed),
        5 => ("spindle", MACHINE.spindle.speed.as_ptr().addr(), Type::Signed),
        6 => ("inputs", MACHINE.inputs.as_ptr().addr(), Type::Unsigned),
        _ => return None,
    })
}

/// Which of [`State::variables`](crate::state::State::variables) is at this address.
pub fn forceable(addr: u64) -> Option<usize> {
    MACHINE.variables.iter().position(|variable| variable.as_ptr().addr() as u64 == addr)
}

/// Which of them these bytes touch.
pub fn touched(addr: u32, length: usize) -> impl Iterator<Item = usize> {
    let end = addr.saturating_add(length as u32);
    MACHINE.variables.iter().enumerate().filter_map(move |(place, variable)| {
        let at = variable.as_ptr().addr() as u32;
        (at < end && addr < at.saturating_add(4)).then_some(place)
    })
}
