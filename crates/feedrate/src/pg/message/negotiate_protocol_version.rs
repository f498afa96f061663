//! NegotiateProtocolVersion: the server does not support the version, or an option.

use core::fmt;

use super::Fields;
use super::macros::{tagged, traced};
use super::startup_message::StartupMessage;
use crate::encode::EncodeError;
use crate::pg::error::Problem;
use crate::pg::list::List;
use crate::pg::reader::{Bad, Reader};
use crate::pg::text::Text;
use crate::pg::trace::Printer;
use crate::pg::version::Version;
use crate::pg::write::Sink;

/// The server does not support the requested minor version, or some of the protocol options.
///
/// The documentation says that the first field is a minor version. Servers send the full one, major version included,
/// and libpq expects that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NegotiateProtocolVersion<'a> {
    /// The newest version that the server supports, of the requested major version.
    pub version: Version,
    /// The protocol options that the server does not support, as `_pq_.` and a name.
    pub unrecognized: List<'a, Text<'a>>,
}

tagged!(NegotiateProtocolVersion<'a> = b'v', backend(Negotiation) [0, &[]]);
traced!(NegotiateProtocolVersion<'a>);

impl NegotiateProtocolVersion<'_> {
    /// Checks that this is a valid answer to `asked`, by the rules of `pqGetNegotiateProtocolVersion3` in libpq's
    /// `fe-protocol3.c`.
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

impl<'a> Fields<'a> for NegotiateProtocolVersion<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let version = Version(reader.u32("version")?);
        let before = *reader;
        let count = reader.i32("number of options")?;
        let Ok(wide) = usize::try_from(count) else {
            *reader = before;
            let expected = "0 or more";
            return Err(reader.bad(Problem::Negative { what: "number of options", found: count, expected }));
        };
        // Each takes at least one byte, and a StartupMessage has no room for more than 65535.
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

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.int32(self.version.0)?;
        out.number(self.unrecognized.len())?;
        self.unrecognized.iter().try_for_each(|name| out.text(name))
    }
}
