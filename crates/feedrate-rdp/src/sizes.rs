//! Memory of sizes that the integrator chooses.

use core::cell::Cell;

use crate::limits::{FIRST_LIMIT, LONGEST};

/// An array of bytes.
pub trait Buffer {
    /// All zero.
    const ZERO: Self;
    /// Its size in bytes.
    const SIZE: usize;
    /// The bytes.
    fn bytes(&self) -> &[u8];
    /// The bytes, to be written.
    fn bytes_mut(&mut self) -> &mut [u8];
}

impl<const N: usize> Buffer for [u8; N] {
    const ZERO: Self = [0; N];
    const SIZE: usize = N;

    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}

/// How much memory a line takes, and so how long its messages, and the packets on its lanes, can be. What is too
/// small to work does not compile.
///
/// ```
/// use feedrate_rdp::sizes::Sizes;
///
/// /// A UART, no bulk lane, and no more memory than needed.
/// enum Tiny {}
///
/// impl Sizes for Tiny {
///     type Lane = [u8; 64];
///     type Urgent = [u8; 514];
///     type Ordinary = [u8; 514];
///     type Send = [u8; 514];
///     type Message = [u8; 512];
/// }
/// ```
pub trait Sizes {
    /// A packet that comes in pieces, as large as the larger MTU: a link has two. A stream has none.
    type Lane: Buffer;
    /// What has arrived on channel 0 and not been acted on. 514 bytes at least.
    type Urgent: Buffer;
    /// The same of channel 1. A message and 2 bytes at least; that many times over for more [`credit`].
    type Ordinary: Buffer;
    /// Bytes of a channel that have not been acknowledged, or have not left: there are two. A message and 2 bytes at
    /// least.
    type Send: Buffer;
    /// The longest message, 512 to 4096 bytes.
    type Message: Buffer;
}

/// UART (64 bytes) and SPI (512 bytes), messages of 512 bytes, and room for 7 commands of any length.
// Exhaustive: it has no values.
#[derive(Debug, Clone, Copy)]
pub enum Board {}

impl Sizes for Board {
    type Lane = [u8; 512];
    type Urgent = [u8; 640];
    type Ordinary = [u8; 4096];
    type Send = [u8; 1024];
    type Message = [u8; 512];
}

/// For a computer: any lane, messages of 4096 bytes, queues of 16 KiB.
// Exhaustive: it has no values.
#[derive(Debug, Clone, Copy)]
pub enum Desk {}

impl Sizes for Desk {
    type Lane = [u8; 1024];
    type Urgent = [u8; 4096];
    type Ordinary = [u8; 16384];
    type Send = [u8; 16384];
    type Message = [u8; 4096];
}

/// In front of each message, on the wire and in the queues.
pub(crate) const LENGTH: usize = 2;

/// How many commands of the longest length the queue of channel 1 holds: what an agent of these sizes grants (SPEC
/// section 5.6, Credit).
///
/// ```
/// use feedrate_rdp::sizes::{Board, credit};
///
/// assert_eq!(credit::<Board>(), 7);
/// ```
pub const fn credit<S: Sizes>() -> u8 {
    const { sound::<S>() };
    let commands = match S::Ordinary::SIZE.checked_div(S::Message::SIZE.saturating_add(LENGTH)) {
        // Not `min` and `max`, nor `try_from`: they are not const.
        Some(n) if n > 255 => 255,
        Some(n) => n,
        None => 1,
    };
    let [low, ..] = commands.to_le_bytes();
    low
}

/// Nothing that is less than the protocol needs: a queue that could never take a record would stop its channel for
/// ever.
pub(crate) const fn sound<S: Sizes>() {
    let message = S::Message::SIZE;
    assert!(message >= FIRST_LIMIT, "`Message` has less than 512 bytes");
    assert!(message <= LONGEST, "`Message` has more than 4096 bytes");
    assert!(S::Urgent::SIZE >= FIRST_LIMIT.saturating_add(LENGTH), "`Urgent` has less than 514 bytes");
    assert!(S::Ordinary::SIZE >= message.saturating_add(LENGTH), "`Ordinary` has no room for a message");
    assert!(S::Send::SIZE >= message.saturating_add(LENGTH), "`Send` has no room for a message");
}

/// A number of bytes, where it is counted in 32 bits.
pub(crate) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Copies as much as there is room for.
#[inline(never)]
pub(crate) fn fill(to: &mut [u8], from: &[u8]) -> usize {
    // Not `copy_from_slice`: at opt-level "z" its length check is left in, and with it a panic.
    let cells = Cell::from_mut(to).as_slice_of_cells();
    cells.iter().zip(from).for_each(|(to, from)| to.set(*from));
    cells.len().min(from.len())
}

/// `copy_within(n.., 0)`, without its panic.
#[inline(never)]
pub(crate) fn shift_down(bytes: &mut [u8], n: usize) {
    let cells = Cell::from_mut(bytes).as_slice_of_cells();
    for (to, from) in cells.iter().zip(cells.get(n..).unwrap_or_default()) {
        to.set(from.get());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// As little as there may be.
    pub(crate) enum Tiny {}

    impl Sizes for Tiny {
        type Lane = [u8; 512];
        type Urgent = [u8; 514];
        type Ordinary = [u8; 514];
        type Send = [u8; 514];
        type Message = [u8; 512];
    }

    pub(crate) type Roomy = Desk;

    #[test]
    fn what_credit_there_is() {
        enum Vast {}

        impl Sizes for Vast {
            type Lane = [u8; 64];
            type Urgent = [u8; 514];
            type Ordinary = [u8; 514 * 256];
            type Send = [u8; 514];
            type Message = [u8; 512];
        }

        assert_eq!((credit::<Tiny>(), credit::<Board>(), credit::<Desk>()), (1, 7, 3));
        assert_eq!(credit::<Vast>(), 255);
    }
}
