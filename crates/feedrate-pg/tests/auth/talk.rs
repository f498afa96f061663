//! Both halves, with real bytes and real decoders between them.

use feedrate::pg::backend::{self, Authentication};
use feedrate::pg::frontend::{self, Message};
use feedrate::pg::{Backend, Frontend};
use feedrate::{Decoder, Grow};
use feedrate_pg::auth::{AuthError, Authenticator, Login, LoginStep, Outcome, Step};

pub(crate) const TOKEN: &[u8] = b"open-sesame";

/// How it ended.
#[derive(Debug, PartialEq)]
pub(crate) struct End {
    pub(crate) client: Option<AuthError>,
    pub(crate) client_done: bool,
    pub(crate) server: Outcome,
    /// The server's JSON about a token.
    pub(crate) json: Option<String>,
}

/// Lets the two talk. `tamper` may change what each sends: it gets the number of the message, and its bytes.
pub(crate) fn talk(
    auth: &mut Authenticator<'_>,
    login: &mut Login<'_>,
    mut tamper: impl FnMut(usize, &mut Vec<u8>),
) -> End {
    let mut to_client = Decoder::new(Backend::new(), Grow::new(1 << 16));
    let mut to_server = Decoder::new(Frontend::new(), Grow::new(1 << 16));
    let mut startup = &b"\0\0\0\x14\0\x03\0\0user\0alice\0\0"[..];
    assert!(to_server.feed(&mut startup).unwrap().is_some());
    let mut json = None;
    let mut client = None;
    for number in 0.. {
        let mut requests = Vec::new();
        login.request(&mut requests).unwrap();
        if let Some(answer) = login.answer() {
            to_server.protocol_mut().expect(answer);
        }
        tamper(2 * number, &mut requests);
        let mut input = &requests[..];
        let mut out = Vec::new();
        while let Ok(Some(frame)) = to_client.feed(&mut input) {
            let Ok(backend::Message::Authentication(request)) = frame.message() else { break };
            match auth.receive(&request) {
                Ok(Step::TokenRefused { json: text }) => json = Some(text.to_string()),
                Ok(_) => {}
                Err(error) => {
                    client.get_or_insert(error);
                    break;
                }
            }
            if client.is_none() {
                auth.respond(&mut out).unwrap();
            }
        }
        tamper(2 * number + 1, &mut out);
        let mut input = &out[..];
        let mut heard = false;
        while let Ok(Some(frame)) = to_server.feed(&mut input) {
            let Ok(message) = frame.message() else { break };
            heard = true;
            if let LoginStep::Bearer(token) = login.receive(&message) {
                if token.expose() == TOKEN { login.accept() } else { login.refuse() }
            }
        }
        if !heard {
            break;
        }
    }
    End { client, client_done: auth.is_done(), server: login.outcome(), json }
}

/// A SASLInitialResponse.
pub(crate) fn initial<'a>(mechanism: &'a str, data: &'a [u8]) -> Message<'a> {
    let (mechanism, data) = (mechanism.into(), Some(data.into()));
    Message::SASLInitialResponse(frontend::SASLInitialResponse { mechanism, data })
}

/// A SASLResponse.
pub(crate) fn response(data: &[u8]) -> Message<'_> {
    Message::SASLResponse(frontend::SASLResponse { data: data.into() })
}

/// An AuthenticationSASLContinue.
pub(crate) fn challenge(data: &[u8]) -> Authentication<'_> {
    Authentication::SaslContinue { data: data.into() }
}
