//! What may come and what is owed, on a connection whose messages pass: the observer, shown type bytes and bodies.
#![no_std]
#![no_main]

use feedrate::pg::stream::Begin;
use feedrate_footprint::{Sum, bytes};
use feedrate_pg::observer::{InStep, Observer, Verdict};
use feedrate_pg::queue::Slot;

/// # Safety
///
/// See [`bytes`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entry(
    observer: &mut Observer<[Slot; 32]>,
    from_frontend: bool,
    tag: u8,
    input: *const u8,
    length: usize,
) -> u32 {
    // SAFETY: the caller's word.
    let body = unsafe { bytes(input, length) };
    let mut sum = Sum::default();
    let begin = Begin { tag, length: length as u32 };
    let verdict = match from_frontend {
        true => match observer.frontend_begins(begin, body) {
            Ok(verdict) => verdict,
            Err(_) => return u32::MAX,
        },
        false => observer.backend_begins(begin, body),
    };
    sum.add(u32::from(matches!(verdict, Verdict::Expected)));
    let owed = observer.ready_owed();
    sum.add(owed.least);
    sum.add(owed.most);
    sum.add(u32::from(observer.in_step() == InStep::Yes));
    sum.add(u32::from(observer.is_idle()));
    sum.0
}
