//! The startup phase: packets without a type byte, encryption, authentication.

use feedrate::pg::Encryption;
use feedrate::pg::backend as b;

use super::expected::{CANCEL, DIRECT_TLS, ENCRYPTION, GSSENC_REQUEST, SSL_REQUEST, STARTUP, Set};
use super::report::Phase;

/// What the startup phase knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Startup {
    asked_ssl: bool,
    asked_gss: bool,
    /// What is to be answered with one byte.
    asked: Option<Encryption>,
    negotiated: bool,
    /// The last request, if there was one.
    last: Option<Request>,
    /// Whether the frontend has to answer it, or may.
    due: Due,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    No,
    /// GSSAPI's last token may need no answer.
    Maybe,
    Yes,
}

/// Authentication requests, as far as one determines the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    /// A password, or something unknown.
    Once,
    Gss,
    Sasl,
    SaslFinal,
}

/// The codes of a startup packet (`pqcomm.h`).
const CANCEL_CODE: u32 = 80_877_102;
const SSL_CODE: u32 = 80_877_103;
const GSSENC_CODE: u32 = 80_877_104;

impl Startup {
    pub(super) const NEW: Self =
        Self { asked_ssl: false, asked_gss: false, asked: None, negotiated: false, last: None, due: Due::No };

    /// What the frontend may send.
    pub(super) const fn frontend(&self, phase: Phase) -> Set {
        match phase {
            Phase::Startup => {
                let ssl = if self.asked_ssl { Set::NONE } else { Set::of(&[SSL_REQUEST, DIRECT_TLS]) };
                let gss = if self.asked_gss { Set::NONE } else { Set::of(&[GSSENC_REQUEST]) };
                Set::of(&[STARTUP, CANCEL]).with(ssl).with(gss)
            }
            Phase::Authenticating if !matches!(self.due, Due::No) => Set::of(b"pX"),
            Phase::Authenticating | Phase::Starting => Set::of(b"X"),
            _ => Set::NONE,
        }
    }

    /// Which packet it is, by its body.
    pub(super) fn packet(body: &[u8]) -> u8 {
        match body.first_chunk().map(|code| u32::from_be_bytes(*code)) {
            None => DIRECT_TLS,
            Some(CANCEL_CODE) => CANCEL,
            Some(SSL_CODE) => SSL_REQUEST,
            Some(GSSENC_CODE) => GSSENC_REQUEST,
            Some(_) => STARTUP,
        }
    }

    /// The phase after the frontend's packet.
    pub(super) fn packet_sent(&mut self, packet: u8) -> Phase {
        match packet {
            SSL_REQUEST => {
                self.asked_ssl = true;
                self.asked = Some(Encryption::Ssl);
                Phase::Encrypting
            }
            GSSENC_REQUEST => {
                self.asked_gss = true;
                self.asked = Some(Encryption::Gss);
                Phase::Encrypting
            }
            DIRECT_TLS => {
                self.asked_ssl = true;
                self.asked_gss = true;
                Phase::Startup
            }
            CANCEL => Phase::Over,
            _ => Phase::Authenticating,
        }
    }

    /// The frontend has answered an authentication request.
    pub(super) const fn answered(&mut self) {
        self.due = Due::No;
    }

    /// What the server may send, besides errors.
    pub(super) const fn backend(&self, phase: Phase) -> Set {
        match phase {
            Phase::Encrypting => Set::of(&[ENCRYPTION]),
            Phase::Authenticating => {
                let version = !self.negotiated && self.last.is_none();
                let version = if version { Set::of(b"v") } else { Set::NONE };
                let request = if matches!(self.due, Due::Yes) { Set::NONE } else { Set::of(b"R") };
                Set::of(b"N").with(version).with(request)
            }
            Phase::Starting => Set::of(b"KNSZ"),
            _ => Set::NONE,
        }
    }

    /// The server's byte in answer to a request for encryption; `false`: it is not one.
    pub(super) fn encryption(&mut self, body: &[u8]) -> bool {
        let Some(asked) = self.asked else { return false };
        let accepted = body == [asked.consent()];
        if accepted {
            // Nothing of this kind may follow on an encrypted connection.
            self.asked_ssl = true;
            self.asked_gss = true;
        }
        accepted || body == b"N"
    }

    /// The server has negotiated the version.
    pub(super) const fn negotiated(&mut self) {
        self.negotiated = true;
    }

    /// The phase after an authentication request; `None`: it does not follow the last one.
    pub(super) fn request(&mut self, body: &[u8]) -> Option<Phase> {
        let code = body.first_chunk().map(|code| u32::from_be_bytes(*code));
        let (request, due) = match (code, self.last) {
            (Some(0), _) => return Some(Phase::Starting),
            (Some(7 | 9), None) => (Request::Gss, Due::Yes),
            (Some(8), Some(Request::Gss)) => (Request::Gss, Due::Maybe),
            (Some(10), None) => (Request::Sasl, Due::Yes),
            (Some(11), Some(Request::Sasl)) => (Request::Sasl, Due::Yes),
            (Some(12), Some(Request::Sasl)) => (Request::SaslFinal, Due::No),
            (Some(7..=12), _) => return None,
            (_, None) => (Request::Once, Due::Yes),
            _ => return None,
        };
        self.last = Some(request);
        self.due = due;
        Some(Phase::Authenticating)
    }
}

/// Whether a StartupMessage asks for a replication connection, by its body.
pub(super) fn is_replication(body: &[u8]) -> bool {
    let mut strings = body.get(4..).unwrap_or_default().split(|byte| *byte == 0);
    let mut replication = false;
    while let (Some(name @ [_, ..]), Some(value)) = (strings.next(), strings.next()) {
        if name == b"replication" {
            replication = !is_false(value);
        }
    }
    replication
}

/// `parse_bool` in the server's `bool.c` accepts any unambiguous prefix. What is neither false nor true is refused.
fn is_false(value: &[u8]) -> bool {
    let is = |word: &[u8], least: usize| {
        value.len() >= least && word.get(..value.len()).is_some_and(|word| word.eq_ignore_ascii_case(value))
    };
    is(b"false", 1) || is(b"no", 1) || is(b"off", 2) || value == b"0"
}

/// Whether an ErrorResponse ends the connection, by its body or as much of it as there is. `None`: it cannot be seen.
pub(super) fn is_fatal(body: &[u8]) -> Option<bool> {
    let mut localized = None;
    let mut rest = body;
    while let [code @ 1..=255, value @ ..] = rest {
        let end = value.iter().position(|byte| *byte == 0)?;
        let (value, behind) = value.split_at_checked(end)?;
        let fatal = value == b"FATAL" || value == b"PANIC";
        match *code {
            // Not localized, and since 9.6 only.
            b::field::SEVERITY_NONLOCALIZED => return Some(fatal),
            b::field::SEVERITY => localized = Some(fatal),
            _ => {}
        }
        rest = behind.get(1..)?;
    }
    localized
}
