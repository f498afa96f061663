//! StartupMessage: the untagged packet that opens a session.

use core::fmt;

use super::{Fields, item, startup};
use crate::encode::EncodeError;
use crate::pg::error::Problem;
use crate::pg::form::{Form, Name};
use crate::pg::list::List;
use crate::pg::reader::{Bad, Reader};
use crate::pg::text::Text;
use crate::pg::trace::Printer;
use crate::pg::version::Version;
use crate::pg::write::Sink;

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
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StartupMessage<'a> {
    /// The protocol version that the frontend requests.
    pub version: Version,
    /// `user`, `database`, `options`, `replication`, protocol options whose names begin with `_pq_.`, and any other
    /// setting.
    pub parameters: List<'a, Parameter<'a>>,
}

item! {
    /// A name and a value.
    #[derive(Default)]
    pub struct Parameter<'a>: terminated {
        /// Not empty: an empty name ends the list.
        pub name: Text<'a> as NotEmpty,
        /// May be empty.
        pub value: Text<'a>,
    }
}

/// What the session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Replication {
    /// SQL.
    Off,
    /// Physical replication.
    Physical,
    /// Logical replication of the database named in the same message; SQL is allowed too.
    Logical,
}

impl<'a> StartupMessage<'a> {
    /// The value of the last parameter of this name. That is the one that counts, because a server applies them in
    /// order.
    ///
    /// Names are compared as a server does: `user`, `database`, `options`, `replication` and names that begin with
    /// `_pq_.` are case-sensitive, all others are names of settings and are not.
    ///
    /// ```
    /// use feedrate::pg::{List, Version, frontend::{Parameter, StartupMessage}};
    ///
    /// let parameters = [
    ///     Parameter { name: "user".into(), value: "alice".into() },
    ///     Parameter { name: "CLIENT_ENCODING".into(), value: "UTF8".into() },
    /// ];
    /// let startup = StartupMessage { version: Version::V3_0, parameters: List::from(&parameters) };
    /// assert_eq!(startup.get("client_encoding").unwrap(), "UTF8");
    /// assert_eq!(startup.get("USER"), None);
    /// ```
    pub fn get(&self, name: &str) -> Option<Text<'a>> {
        self.parameters
            .iter()
            .filter(|parameter| is_same(parameter.name.as_bytes(), name.as_bytes()))
            .last()
            .map(|parameter| parameter.value)
    }

    /// The role to connect as. Servers require it, and do not accept an empty one.
    pub fn user(&self) -> Option<Text<'a>> {
        self.get("user").filter(|user| !user.is_empty())
    }

    /// The database, or the user's name if it is missing or empty. It means nothing for physical replication.
    pub fn database(&self) -> Option<Text<'a>> {
        self.get("database").filter(|database| !database.is_empty()).or_else(|| self.user())
    }

    /// The encoding of all text to come.
    pub fn client_encoding(&self) -> Option<Text<'a>> {
        self.get("client_encoding")
    }

    /// The session's time zone.
    pub fn time_zone(&self) -> Option<Text<'a>> {
        self.get("TimeZone")
    }

    /// What the client calls itself.
    pub fn application_name(&self) -> Option<Text<'a>> {
        self.get("application_name")
    }

    /// Command line options for the session, separated by blanks that a backslash can escape.
    pub fn options(&self) -> Option<Text<'a>> {
        self.get("options")
    }

    /// What the session is for; `None` if a server would not accept the value.
    pub fn replication(&self) -> Option<Replication> {
        let Some(value) = self.get("replication") else {
            return Some(Replication::Off);
        };
        let value = value.as_bytes();
        if value == b"database" {
            return Some(Replication::Logical);
        }
        // `parse_bool` in the server's `bool.c` accepts any unambiguous prefix.
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

    /// The protocol options: parameters whose names begin with `_pq_.`. A server lists those it does not support in
    /// NegotiateProtocolVersion.
    pub fn protocol_options(&self) -> impl Iterator<Item = Parameter<'a>> {
        self.parameters.iter().filter(|parameter| parameter.name.as_bytes().starts_with(b"_pq_."))
    }
}

impl<'a> Fields<'a> for StartupMessage<'a> {
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
        Ok(Self { version, parameters: List::read_terminated(reader, "parameters")? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        if self.version.major() != Version::V3_0.major() {
            return out.refuse(EncodeError::Invalid {
                what: "StartupMessage version",
                expected: "3 in the upper 16 bits",
            });
        }
        out.put(&self.version.0.to_be_bytes());
        self.parameters.write_terminated(out)
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.code(self.version.0)?;
        List::trace(self.parameters, out)
    }
}

startup!(StartupMessage<'a>);

/// Whether two names mean the same parameter. `ProcessStartupPacket` in `backend_startup.c` compares its own names with
/// `strcmp`; the others are settings, whose names `guc_name_compare` in `guc.c` compares without case.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let is_setting = |name: &[u8]| {
        !matches!(name, b"user" | b"database" | b"options" | b"replication") && !name.starts_with(b"_pq_.")
    };
    one == other || (is_setting(one) && is_setting(other) && one.eq_ignore_ascii_case(other))
}

/// A string that is not empty.
struct NotEmpty;

impl<'a> Form<'a, Text<'a>> for NotEmpty {
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Text<'a>, Bad> {
        reader.text()
    }

    fn write<S: Sink>(name: Text<'a>, out: &mut S, what: &'static str) {
        if name.is_empty() {
            return out.refuse(EncodeError::Invalid { what, expected: "not empty, which ends the list" });
        }
        out.text(name, what)
    }

    fn trace(name: Text<'a>, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.text(name)
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Text<'a>> {
        let name: Text<'a> = u.arbitrary()?;
        Ok(if name.is_empty() { "user".into() } else { name })
    }
}
