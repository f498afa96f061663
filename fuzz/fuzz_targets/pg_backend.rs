//! Any bytes, taken for what a server sends.
#![no_main]

use feedrate::pg::Backend;
use feedrate::pg::backend::{Encryption, EncryptionResponse, Frame, Message};
use feedrate_fuzz::{Plan, pg::visit_stream};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(plan) = Plan::new(data) else { return };
    let mut backend = if plan.flag(0) { Backend::established() } else { Backend::new() };
    if plan.flag(1) {
        backend = backend.allow_unknown(1000);
    }
    match plan.flags >> 2 & 3 {
        1 => backend.expect_encryption_response(Encryption::Ssl),
        2 => backend.expect_encryption_response(Encryption::Gss),
        _ => {}
    }
    let secures = plan.flag(4);
    let accepted = |frame: &Frame<'_>| {
        matches!(frame.message(), Ok(Message::EncryptionResponse(EncryptionResponse::Accepted(_))))
    };
    visit_stream(backend, plan.flags >> 5, &plan, accepted, |backend, accepted, _| {
        if accepted == Some(true) && secures {
            backend.secured();
        }
    });
});
