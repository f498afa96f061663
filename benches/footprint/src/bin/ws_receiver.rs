//! A server's side of a WebSocket, in firmware that echoes: whole messages in, unmasked where they lie, and out.
#![no_std]
#![no_main]

use feedrate::{Array, Instant};
use feedrate_footprint::{Sum, bytes_mut};
use feedrate_ws::{Event, Receiver, Sender};

/// # Safety
///
/// See [`bytes_mut`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    receiver: &mut Receiver<Array<1024>>,
    sender: &mut Sender<Array<2048>>,
    input: *mut u8,
    length: usize,
    now: u64,
    output: *mut u8,
    room: usize,
) -> u32 {
    // SAFETY: the caller's word.
    let mut input = unsafe { bytes_mut(input, length) };
    let mut sum = Sum::default();
    let now = Instant::from_micros(now);
    loop {
        match receiver.feed(&mut input, now, sender) {
            Ok(Some(Event::Message(message))) => {
                if sender.send(message).is_err() {
                    sum.add(1);
                }
            }
            Ok(Some(Event::Ping(payload) | Event::Pong(payload))) => sum.slice(payload),
            Ok(Some(Event::Closed(close))) => sum.add(close.map_or(0, |close| close.code.get().into())),
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) => sum.add(error.offset as u32),
        }
    }
    // SAFETY: the caller's word.
    for (to, from) in unsafe { bytes_mut(output, room) }.iter_mut().zip(sender.transmit()) {
        *to = *from;
    }
    sender.transmitted(room.min(sender.transmit().len()));
    sum.0
}
