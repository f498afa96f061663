//! A client against an honest server, both driven by the input: what the client says of each message must be what the
//! server meant.
#![no_main]

use feedrate_testkit::pg::client::play;
use feedrate_testkit::random::Random;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut bytes = data.iter();
    let mut rest = Random::new(data.len() as u64);
    let steps = (data.len() as u64 / 2).min(400);
    play(steps, &mut |n| match bytes.next() {
        Some(byte) => u64::from(*byte) % n.max(1),
        None => rest.below(n),
    });
});
