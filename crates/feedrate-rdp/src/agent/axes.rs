//! Where the axes are, for Axes and State.

use crate::target::Machine;

/// Reads as many as there are and have room, and returns how many.
pub(super) fn read_axes(machine: &mut dyn Machine, into: &mut [i64]) -> usize {
    let axes = machine.axes();
    let mut count = 0_usize;
    for (axis, position) in (0..axes).zip(into) {
        *position = machine.axis(axis).unwrap_or_default();
        count = count.saturating_add(1);
    }
    count
}
