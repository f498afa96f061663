//! Whatever the bytes: what comes out of a receiver depends on them, and never on how they were cut or fed.
#![no_main]

use feedrate_fuzz::Plan;
use feedrate_fuzz::ws::{Side, Way, check_frames, params, receive, reference, ways};
use feedrate_ws::Role;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let role = if plan.flag(0) { Role::Server } else { Role::Client };
    let deflate = plan.flag(1).then(|| params(u16::from(plan.flags >> 2) * 0x89));
    let side = Side { role, deflate };
    let expected = receive(side, Way::PLAIN, plan.stream);
    if deflate.is_none() {
        let (items, end) = reference(role, plan.stream);
        assert_eq!((&expected.items, expected.end), (&items, end));
    }
    for way in ways(plan.sizes) {
        assert_eq!(receive(side, way, plan.stream), expected, "{way:?}");
    }
    check_frames(side, plan.sizes, plan.stream);
});
