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
        one_pass(frame);
        matches!(frame.message(), Ok(Message::EncryptionResponse(EncryptionResponse::Accepted(_))))
    };
    visit_stream(backend, plan.flags >> 5, &plan, accepted, |backend, accepted, _| {
        if accepted == Some(true) && secures {
            backend.secured();
        }
    });
});

/// A row in one pass is the row that was checked before, or bad as that one is.
fn one_pass(frame: &Frame<'_>) {
    let Some(columns) = frame.columns() else { return };
    let (values, bad): (Vec<_>, Vec<_>) = columns.partition(Result::is_ok);
    match frame.message() {
        Ok(Message::DataRow(row)) => {
            assert!(bad.is_empty());
            assert!(row.columns.iter().eq(values.into_iter().flatten()));
        }
        Ok(message) => panic!("{message:?} has columns"),
        Err(_) => assert_eq!(bad.len(), 1),
    }
}
