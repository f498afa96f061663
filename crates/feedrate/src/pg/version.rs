//! Protocol versions and their negotiation.

use core::fmt;

use super::error::Problem;
use super::list::List;
use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::startup::StartupMessage;
use super::text::Text;
use super::write::Sink;
use crate::encode::EncodeError;

/// A protocol version: major in the upper, minor in the lower 16 bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u32);

impl Version {
    /// Every server since 7.4.
    pub const V3_0: Self = Self(0x0003_0000);
    /// Reserved and never used, because some poolers took it for 3.0.
    pub const V3_1: Self = Self(0x0003_0001);
    /// Since 18: cancel keys of varying length.
    pub const V3_2: Self = Self(0x0003_0002);
    /// 3.9999, which no server will ever speak: asked for so that servers which cannot negotiate are found out.
    pub const GREASE: Self = Self(0x0003_270f);

    /// The major version.
    pub const fn major(self) -> u16 {
        let [a, b, _, _] = self.0.to_be_bytes();
        u16::from_be_bytes([a, b])
    }

    /// The minor version.
    pub const fn minor(self) -> u16 {
        let [_, _, a, b] = self.0.to_be_bytes();
        u16::from_be_bytes([a, b])
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major(), self.minor())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

/// The server does not speak the minor version that was asked for, or does not know some of the protocol options.
///
/// The documentation says that the first field is a minor version. Servers send the full one, major version included, and libpq expects that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct NegotiateProtocolVersion<'a> {
    /// The newest version that the server speaks, of the major version asked for.
    pub version: Version,
    /// The protocol options, `_pq_.` and a name, that the server does not know.
    pub unrecognized: List<'a, Text<'a>>,
}

tagged!(NegotiateProtocolVersion<'_>, b'v', Backend);

impl NegotiateProtocolVersion<'_> {
    /// Whether this can be an answer to `asked`: the rules of `pqGetNegotiateProtocolVersion3` in libpq's `fe-protocol3.c`.
    ///
    /// # Errors
    ///
    /// [`Problem::Disagrees`], with the rule that is broken.
    pub fn check(&self, asked: &StartupMessage<'_>) -> Result<(), Problem> {
        let disagrees = |rule| Err(Problem::Disagrees(rule));
        if self.version > asked.version {
            return disagrees("the server chose a newer protocol version than was asked for");
        }
        if self.version < Version::V3_0 {
            return disagrees("the server chose a protocol version older than 3.0");
        }
        if self.version == Version::V3_1 {
            return disagrees("the server chose protocol version 3.1, which does not exist");
        }
        if self.version == asked.version && self.unrecognized.is_empty() {
            return disagrees("the server refuses neither the protocol version nor an option");
        }
        for name in self.unrecognized {
            if !name.as_bytes().starts_with(b"_pq_.") {
                return disagrees("the server refuses an option whose name does not begin with _pq_.");
            }
            if !asked.parameters.iter().any(|parameter| parameter.name == name) {
                return disagrees("the server refuses an option that was not asked for");
            }
        }
        Ok(())
    }
}

impl<'a> Body<'a> for NegotiateProtocolVersion<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let version = Version(reader.u32("version")?);
        let before = *reader;
        let count = reader.i32("number of options")?;
        let Ok(wide) = usize::try_from(count) else {
            *reader = before;
            let expected = "0 or more";
            return Err(reader.bad(Problem::Negative { what: "number of options", found: count, expected }));
        };
        // Each takes a byte at least. More than 65535 of them do not fit into what libpq reads (2000 bytes).
        let count = match u16::try_from(wide) {
            Ok(count) if wide <= reader.left() => count,
            _ => {
                let left = reader.left();
                *reader = before;
                return Err(reader.bad(Problem::Short { what: "options", needed: wide, left }));
            }
        };
        Ok(Self { version, unrecognized: List::read(reader, count, "options")? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        out.put(&self.version.0.to_be_bytes());
        let (size, limit) = (self.unrecognized.len(), usize::from(u16::MAX));
        let Ok(count) = u16::try_from(size) else {
            let what = "NegotiateProtocolVersion options";
            return out.refuse(EncodeError::TooLarge { what, size, limit });
        };
        out.put(&u32::from(count).to_be_bytes());
        self.unrecognized.write(out)
    }
}
