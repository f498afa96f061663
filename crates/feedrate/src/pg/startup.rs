//! The untagged packets that open a connection: StartupMessage, SSLRequest, GSSENCRequest, CancelRequest.
//!
//! Each begins with its length and an Int32 that is either a protocol version or one of three codes that no version can have.

use super::error::Problem;
use super::list::{Item, List, private};
use super::message::{Body, encoded};
use super::reader::{Bad, Reader};
use super::text::{Secret, Text};
use super::version::Version;
use super::write::{Header, Sink, Whole, put_text};
use crate::encode::EncodeError;

/// Bytes of length and code.
pub(crate) const HEADER: usize = 8;

/// `CANCEL_REQUEST_CODE` in `libpq/pqcomm.h`.
pub(crate) const CANCEL: u32 = 80_877_102;
/// `NEGOTIATE_SSL_CODE` in `libpq/pqcomm.h`.
pub(crate) const SSL: u32 = 80_877_103;
/// `NEGOTIATE_GSS_CODE` in `libpq/pqcomm.h`.
pub(crate) const GSSENC: u32 = 80_877_104;

/// Opens a session.
///
/// ```
/// use feedrate::{Encode, pg::{List, Version, frontend::{Parameter, StartupMessage}}};
///
/// let parameters = [
///     Parameter { name: "user".into(), value: "alice".into() },
///     Parameter { name: "client_encoding".into(), value: "UTF8".into() },
/// ];
/// let startup = StartupMessage { version: Version::V3_2, parameters: List::from(&parameters) };
/// assert_eq!(startup.user().unwrap(), "alice");
/// assert_eq!(startup.encoded_length()?, 8 + 11 + 21 + 1);
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct StartupMessage<'a> {
    /// The protocol version that the frontend would like to speak.
    pub version: Version,
    /// `user`, `database`, `options`, `replication`, protocol options whose names begin with `_pq_.`, and any other setting.
    pub parameters: List<'a, Parameter<'a>>,
}

/// A name and a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parameter<'a> {
    /// Not empty: an empty name ends the list.
    pub name: Text<'a>,
    /// May be empty.
    pub value: Text<'a>,
}

/// What the session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// SQL.
    Off,
    /// Physical replication.
    Physical,
    /// Logical replication of the database named in the same message; SQL is allowed too.
    Logical,
}

impl<'a> StartupMessage<'a> {
    /// The name, for error messages and tracers.
    pub const NAME: &'static str = "StartupMessage";

    /// The value of the last parameter of this name: the one that counts, as a server applies them in order.
    pub fn get(&self, name: &str) -> Option<Text<'a>> {
        self.parameters
            .iter()
            .filter(|parameter| parameter.name == name)
            .last()
            .map(|parameter| parameter.value)
    }

    /// The role to connect as, which servers require.
    pub fn user(&self) -> Option<Text<'a>> {
        self.get("user")
    }

    /// The database; the user's name where it is missing.
    pub fn database(&self) -> Option<Text<'a>> {
        self.get("database").or_else(|| self.user())
    }

    /// The encoding of all text to come.
    pub fn client_encoding(&self) -> Option<Text<'a>> {
        self.get("client_encoding")
    }

    /// The session's time zone.
    pub fn time_zone(&self) -> Option<Text<'a>> {
        // The only setting whose usual spelling is not in lower case; a server compares without case, and so do we.
        let is_it = |parameter: &Parameter<'_>| parameter.name.as_bytes().eq_ignore_ascii_case(b"TimeZone");
        self.parameters.iter().filter(is_it).last().map(|parameter| parameter.value)
    }

    /// What the client calls itself.
    pub fn application_name(&self) -> Option<Text<'a>> {
        self.get("application_name")
    }

    /// Command line options for the session, separated by blanks that a backslash can escape.
    pub fn options(&self) -> Option<Text<'a>> {
        self.get("options")
    }

    /// What the session is for; `None` if the value is none that a server accepts.
    pub fn replication(&self) -> Option<Replication> {
        let Some(value) = self.get("replication") else {
            return Some(Replication::Off);
        };
        let value = value.as_bytes();
        if value == b"database" {
            return Some(Replication::Logical);
        }
        // `parse_bool` in the server's `bool.c` takes any prefix that says which it is.
        let is = |word: &[u8], least: usize| {
            value.len() >= least
                && word.get(..value.len()).is_some_and(|word| word.eq_ignore_ascii_case(value))
        };
        if is(b"true", 1) || is(b"yes", 1) || is(b"on", 2) || value == b"1" {
            Some(Replication::Physical)
        } else if is(b"false", 1) || is(b"no", 1) || is(b"off", 2) || value == b"0" {
            Some(Replication::Off)
        } else {
            None
        }
    }

    /// The protocol options: those whose names begin with `_pq_.`. A server names the ones it does not know in NegotiateProtocolVersion.
    pub fn protocol_options(&self) -> impl Iterator<Item = Parameter<'a>> {
        self.parameters.iter().filter(|parameter| parameter.name.as_bytes().starts_with(b"_pq_."))
    }
}

impl<'a> Body<'a> for StartupMessage<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let found = reader.peek();
        let version = Version(reader.u32("version")?);
        if version.major() != Version::V3_0.major() {
            *reader = Reader::new(found);
            return Err(reader.bad(Problem::Value {
                what: "protocol version",
                found: version.0,
                expected: "3 in the upper 16 bits",
            }));
        }
        Ok(Self { version, parameters: List::read_terminated(reader, "terminator as last byte")? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        if self.version.major() != Version::V3_0.major() {
            return out.refuse(EncodeError::Invalid {
                what: "StartupMessage version",
                expected: "3 in the upper 16 bits",
            });
        }
        out.put(&self.version.0.to_be_bytes());
        self.parameters.write(out);
        out.put(&[0])
    }
}

impl<'a> Item<'a> for Parameter<'a> {}
impl<'a> private::Item<'a> for Parameter<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { name: reader.text()?, value: reader.text()? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        if self.name.is_empty() {
            return out.refuse(EncodeError::Invalid {
                what: "parameter name",
                expected: "not empty, which ends the list",
            });
        }
        put_text(out, self.name, "parameter name");
        put_text(out, self.value, "parameter value")
    }
}

/// Asks for TLS. The answer is one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct SSLRequest;

/// Asks for GSSAPI encryption. The answer is one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct GSSENCRequest;

/// Asks for the cancellation of what another session is doing, on a connection of its own. There is no answer.
///
/// Nothing in it says which protocol version that session speaks: the key is whatever bytes there are.
///
/// ```
/// use feedrate::{Encode, pg::{Secret, frontend::CancelRequest}};
///
/// let cancel = CancelRequest { process_id: 42, key: Secret::from(&[1, 2, 3, 4][..]) };
/// let mut out = Vec::new();
/// cancel.encode(&mut out)?;
/// assert_eq!(out, b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\x2a\x01\x02\x03\x04");
/// # Ok::<(), feedrate::EncodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelRequest<'a> {
    /// From the session's BackendKeyData.
    pub process_id: i32,
    /// From the session's BackendKeyData. Servers compare it in constant time; so does `==`.
    pub key: Secret<'a>,
}

/// Bytes of a key that servers read: `ProcessCancelRequestPacket` in `backend_startup.c`.
pub(crate) const KEY_LENGTH: core::ops::RangeInclusive<usize> = 1..=256;

impl<'a> Body<'a> for CancelRequest<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        reader.u32("code")?;
        let process_id = reader.i32("process")?;
        let length = reader.left();
        if !KEY_LENGTH.contains(&length) {
            let found = u32::try_from(length).unwrap_or(u32::MAX);
            return Err(reader.bad(Problem::Value {
                what: "length of the key",
                found,
                expected: "1 to 256 bytes",
            }));
        }
        Ok(Self { process_id, key: Secret::from(reader.rest()) })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        if !KEY_LENGTH.contains(&self.key.expose().len()) {
            return out
                .refuse(EncodeError::Invalid { what: "CancelRequest key", expected: "1 to 256 bytes" });
        }
        out.put(&CANCEL.to_be_bytes());
        out.put(&self.process_id.to_be_bytes());
        out.put(self.key.expose())
    }
}

macro_rules! request {
    ($Message:ident, $code:expr) => {
        impl<'a> Body<'a> for $Message {
            fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
                reader.u32("code").map(|_| Self)
            }

            fn write<S: Sink>(&self, out: &mut S) {
                out.put(&$code.to_be_bytes())
            }
        }
    };
}

request!(SSLRequest, SSL);
request!(GSSENCRequest, GSSENC);

macro_rules! untagged {
    ($Message:ident $(<$life:lifetime>)?) => {
        impl Whole for $Message $(<$life>)? {
            fn what(&self) -> &'static str {
                stringify!($Message)
            }

            fn header(&self) -> Header {
                Header::Length
            }

            fn fields<S: Sink>(&self, out: &mut S) {
                Body::write(self, out)
            }
        }

        encoded!($Message $(<$life>)?, Frontend);
    };
}

untagged!(StartupMessage<'_>);
untagged!(SSLRequest);
untagged!(GSSENCRequest);
untagged!(CancelRequest<'_>);
