//! Any bytes, taken for what a client sends when its authentication is over.
#![no_main]

use feedrate::pg::{Frontend, FrontendLimits};
use feedrate_fuzz::{Plan, pg::visit_stream};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let mut frontend = Frontend::established();
    if plan.flag(0) {
        frontend = frontend.allow_unknown(1000);
    }
    if plan.flag(1) {
        frontend = frontend.limits(FrontendLimits::new().small(20).large(60));
    }
    visit_stream(frontend, plan.flags >> 2, &plan, |_| (), |_, _, _| ());
});
