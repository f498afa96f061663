#![no_std]
#![no_main]
//! A task of embassy that reads lines from a UART and answers each. See `README.md`.

#[allow(dead_code, reason = "it is written to be copied")]
#[path = "../../protocols/lines.rs"]
mod lines;
mod uart;

use core::panic::PanicInfo;

use embassy_executor::Spawner;
use feedrate::{Array, Encode, EncodeError, Output};
use feedrate_io::embedded::{Reader, Writer};

use crate::lines::Lines;
use crate::uart::{Rx, Tx};

/// The longest line that is taken, with its CR LF.
const LONGEST: usize = 64;

#[embassy_executor::main]
async fn main(spawner: Spawner) {
    let (rx, tx) = uart::init();
    spawner.spawn(serve(rx, tx).expect("one of them is spawned"));
}

#[embassy_executor::task]
async fn serve(rx: Rx, tx: Tx) {
    let mut reader = Reader::new(rx, Lines, Array::<LONGEST>::new(), [0; 16]);
    let mut writer = Writer::new(tx, Array::<128>::new());
    let mut speed = 0;
    loop {
        let answer = match reader.next().await {
            Ok(Some("*IDN?")) => Answer::Name,
            Ok(Some("SPEED?")) => Answer::Speed(speed),
            Ok(Some(line)) => match line.strip_prefix("SPEED ").and_then(|value| value.parse().ok()) {
                Some(value) => {
                    speed = value;
                    Answer::Done
                }
                None => Answer::Refused("unknown"),
            },
            // A line that is too long, or not text. The next one is intact.
            Err(error) if !error.is_over() => Answer::Refused("bad line"),
            Ok(None) | Err(_) => return,
        };
        if writer.push(&answer).is_err() || writer.flush().await.is_err() {
            return;
        }
    }
}

enum Answer {
    Name,
    Speed(u16),
    Done,
    Refused(&'static str),
}

impl Encode for Answer {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        match self {
            Answer::Name => out.put(b"feedrate on embassy")?,
            Answer::Speed(speed) => {
                for power in [10_000, 1000, 100, 10, 1] {
                    out.put(&[b'0' + (speed / power % 10) as u8])?;
                }
            }
            Answer::Done => out.put(b"OK")?,
            Answer::Refused(reason) => {
                out.put(b"ERROR ")?;
                out.put(reason.as_bytes())?;
            }
        }
        out.put(b"\r\n")
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
