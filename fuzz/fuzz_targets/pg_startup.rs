//! Any bytes, taken for what a client sends from the beginning of its connection, to a server that acts by other bytes.
#![no_main]

use arbitrary::{Arbitrary, Unstructured};
use feedrate::pg::backend::{Encryption, EncryptionResponse, NegotiateProtocolVersion};
use feedrate::pg::frontend::{Answer, Frame, Message, StartupMessage};
use feedrate::pg::{Frontend, List, Version};
use feedrate_fuzz::{Plan, pg::visit_stream, show};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // The server's acts come first, in the form of a plan of their own.
    let Some(Plan { sizes: acts, stream, .. }) = Plan::new(data) else { return };
    let Some(plan) = Plan::new(stream) else { return };
    let mut acts = acts.iter().cycle();
    let mut frontend = Frontend::new();
    if plan.flag(0) {
        frontend = frontend.allow_unknown(1000);
    }
    let asks = |frame: &Frame<'_>| {
        if let Ok(Message::StartupMessage(startup)) = frame.message() {
            negotiate(&startup, plan.sizes);
        }
        // A request with something wrong in it waits for an answer all the same.
        matches!(frame.name(), "SSLRequest" | "GSSENCRequest" | "DirectTls")
    };
    visit_stream(frontend, plan.flags >> 1, &plan, asks, |frontend, asks, rest| {
        let act = acts.next().copied().unwrap_or_default();
        let encryption = if act & 0x80 == 0 { Encryption::Ssl } else { Encryption::Gss };
        match (asks, act & 7) {
            (Some(true), 0..=3) => assert_eq!(frontend.answered(EncryptionResponse::Refused, rest), Ok(())),
            (Some(true), 4) => {
                assert_eq!(frontend.answered(EncryptionResponse::Accepted(encryption), &[]), Ok(()));
            }
            (Some(true), 5) => {
                let answered = frontend.answered(EncryptionResponse::Accepted(encryption), rest);
                assert_eq!(answered.is_ok(), rest.is_empty());
            }
            (Some(false), 0) => frontend.expect(Answer::Password),
            (Some(false), 1) => frontend.expect(Answer::SaslInitial),
            (Some(false), 2) => frontend.expect(Answer::Sasl),
            (Some(false), 3) => frontend.expect(Answer::Gss),
            (Some(false), 4) => frontend.authenticated(),
            _ => {}
        }
    });
});

/// A refusal of all that was asked for is an answer; whatever else comes is only not to panic.
fn negotiate(asked: &StartupMessage<'_>, bytes: &[u8]) {
    let names: Vec<_> = asked.protocol_options().map(|option| option.name).collect();
    let unrecognized = List::from(&names[..]);
    let answer = NegotiateProtocolVersion { version: Version::V3_0, unrecognized };
    assert_eq!(answer.check(asked).is_ok(), asked.version != Version::V3_0 || !names.is_empty());
    if let Ok(answer) = NegotiateProtocolVersion::arbitrary(&mut Unstructured::new(bytes)) {
        show(answer.check(asked));
        let answer = NegotiateProtocolVersion { unrecognized, ..answer };
        show(answer.check(asked));
    }
}
