//! SCRAM's channel binding, which no proxy can pass that ends TLS.
//!
//! With SCRAM-SHA-256-PLUS the client signs the certificate that it sees, and the server compares that with its own. So
//! where the two are not the same the mechanism is taken out of the server's offer. That is enough for a client in
//! clear, which may not choose it anyway, and for one that knows nothing of it. One that knows it and has TLS then
//! tells the server that it was not offered, which the server takes for an attack: there is no way around that, so the
//! server's error gets a hint.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use feedrate::Encode;
use feedrate::pg::backend::{self, Authentication, ErrorResponse, NoticeField, field};
use feedrate::pg::{List, frontend};
use feedrate_io::pg_tls::Stream;

const PLUS: &str = "SCRAM-SHA-256-PLUS";
const HINT: &str = "pg_tap ends TLS, so that channel binding is impossible: connect with channel_binding=disable, or \
    give pg_tap the server's own certificate and key.";

#[derive(Debug)]
pub(crate) struct Binding {
    /// Both sides see the same certificate.
    possible: bool,
    hidden: AtomicBool,
    /// The client says that it would have chosen it.
    missed: AtomicBool,
}

impl Binding {
    pub(crate) fn new<C, S>(client: &Stream<C>, server: &Stream<S>) -> Self {
        let possible = client.end_point().is_ok() && client.end_point() == server.end_point();
        Self { possible, hidden: AtomicBool::new(false), missed: AtomicBool::new(false) }
    }

    /// What is forwarded in place of this message, if it is not itself.
    pub(crate) fn of_server(&self, message: &backend::Message<'_>) -> Option<Vec<u8>> {
        match message {
            backend::Message::Authentication(Authentication::Sasl { mechanisms }) if !self.possible => {
                let left: Vec<_> = mechanisms.iter().filter(|its| *its != PLUS).collect();
                if left.len() == mechanisms.len() {
                    return None;
                }
                self.hidden.store(true, Relaxed);
                encoded(&Authentication::Sasl { mechanisms: List::from(&left) })
            }
            backend::Message::ErrorResponse(error) if self.missed.load(Relaxed) => {
                let hint = NoticeField { code: field::HINT, value: HINT.into() };
                let fields: Vec<_> = error.fields.iter().chain([hint]).collect();
                encoded(&ErrorResponse { fields: List::from(&fields) })
            }
            backend::Message::Authentication(Authentication::Ok) => {
                self.missed.store(false, Relaxed);
                None
            }
            _ => None,
        }
    }

    pub(crate) fn of_client(&self, message: &frontend::Message<'_>) {
        if let frontend::Message::SASLInitialResponse(initial) = message {
            // RFC 5802, section 7: `y` is a client that supports it and has not been offered it.
            let missed = initial.data.is_some_and(|data| data.expose().first() == Some(&b'y'));
            self.missed.store(missed && self.hidden.load(Relaxed), Relaxed);
        }
    }
}

fn encoded(message: &impl Encode) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    message.encode(&mut out).ok().map(|_| out)
}
