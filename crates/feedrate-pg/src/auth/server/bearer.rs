//! OAUTHBEARER (RFC 7628), the server's half.

use core::fmt::{self, Write};

use feedrate::{Encode, EncodeError, Output};

use super::super::bearer::is_token;
use super::refusal::Refusal;

/// What a client is told whose token is refused, or which has none: where to get one.
///
/// ```
/// use feedrate_pg::auth::Discovery;
///
/// let discovery = Discovery { scope: "openid db", configuration: "https://login.example/oidc" };
/// let json = r#"{"status":"invalid_token","openid-configuration":"https://login.example/oidc","scope":"openid db"}"#;
/// assert_eq!(discovery.to_string(), json);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Discovery<'a> {
    /// The scopes that a token has to have, with spaces between them.
    pub scope: &'a str,
    /// The URL of the issuer's document. PostgreSQL appends `/.well-known/openid-configuration` to the issuer.
    pub configuration: &'a str,
}

/// The JSON of RFC 7628, section 3.2.2.
impl fmt::Display for Discovery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"{"status":"invalid_token""#)?;
        for (name, value) in [("openid-configuration", self.configuration), ("scope", self.scope)] {
            if !value.is_empty() {
                write!(f, r#","{name}":""#)?;
                value.chars().try_for_each(|c| escaped(c, f))?;
                f.write_char('"')?;
            }
        }
        f.write_char('}')
    }
}

fn escaped(c: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match c {
        '"' | '\\' => write!(f, "\\{c}"),
        '\0'..='\u{1f}' | '\u{7f}' => write!(f, "\\u{:04x}", u32::from(c)),
        c => f.write_char(c),
    }
}

/// AuthenticationSASLContinue with the JSON.
pub(super) struct Failure<'a>(pub(super) Discovery<'a>);

impl Encode for Failure<'_> {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        let mut count = Count(8);
        let _ = write!(count, "{}", self.0);
        let length = u32::try_from(count.0).ok().filter(|length| *length <= 65_535);
        let too_large = EncodeError::TooLarge { what: "discovery", size: count.0, limit: 65_535 };
        out.put(b"R")?;
        out.put(&length.ok_or(too_large)?.to_be_bytes())?;
        out.put(&11_u32.to_be_bytes())?;
        let mut text = Put { out, result: Ok(()) };
        let _ = write!(text, "{}", self.0);
        text.result
    }
}

struct Count(usize);

impl Write for Count {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

struct Put<'o, O> {
    out: &'o mut O,
    result: Result<(), EncodeError>,
}

impl<O: Output> Write for Put<'_, O> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.result = self.out.put(text.as_bytes());
        self.result.map_err(|_| fmt::Error)
    }
}

const FIRST: &str = "OAUTHBEARER's client-first-message";

/// The token of the client's first message. It is empty if the client asks where to get one.
pub(super) fn token(message: &[u8]) -> Result<&str, Refusal> {
    let malformed = |rest: &[u8], expected| Refusal::Malformed {
        message: FIRST,
        at: message.len().saturating_sub(rest.len()),
        expected,
    };
    let header = message.strip_prefix(b"n,,\x01").or_else(|| message.strip_prefix(b"y,,\x01"));
    let mut rest = header.ok_or(malformed(message, "n,, or y,, and a byte 1"))?;
    let mut found = None;
    // Pairs of key and value, each with a byte 1 behind it; then one more of those.
    while rest != b"\x01" {
        let end =
            rest.iter().position(|&byte| byte == 1).ok_or(malformed(rest, "a byte 1 behind each value"))?;
        let (pair, behind) = rest.split_at_checked(end).unwrap_or_default();
        let equals = pair.iter().position(|&byte| byte == b'=').ok_or(malformed(rest, "key=value"))?;
        let (key, value) = pair.split_at_checked(equals).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default();
        if key.is_empty() || !key.iter().all(u8::is_ascii_alphabetic) {
            return Err(malformed(rest, "a key of letters"));
        }
        if !value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')) {
            return Err(malformed(rest, "a value of printable characters"));
        }
        if key == b"auth" {
            if found.is_some() {
                return Err(malformed(rest, "auth once"));
            }
            found = Some(bearer(value).ok_or(malformed(rest, "auth=Bearer and a token"))?);
        }
        rest = behind.get(1..).unwrap_or_default();
    }
    found.ok_or(malformed(rest, "auth="))
}

/// The token behind `Bearer`, which may be in any case, and a space.
fn bearer(value: &[u8]) -> Option<&str> {
    let text = core::str::from_utf8(value).ok()?;
    if text.is_empty() {
        return Some(text);
    }
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty() && is_token(token)).then_some(token)
}
