//! ReadyForQuery: the server waits for a command.

use core::fmt;

use super::message;
use crate::pg::error::Problem;
use crate::pg::form::{Form, Name};
use crate::pg::reader::{Bad, Reader};
use crate::pg::trace::Printer;
use crate::pg::write::Sink;

message! {
    /// The server waits for a command.
    ///
    /// ```
    /// use feedrate::{Encode, pg::backend::{ReadyForQuery, TransactionStatus}};
    ///
    /// let mut out = Vec::new();
    /// ReadyForQuery { status: TransactionStatus::Idle }.encode(&mut out)?;
    /// assert_eq!(out, b"Z\0\0\0\x05I");
    /// # Ok::<(), feedrate::EncodeError>(())
    /// ```
    #[derive(Default)]
    pub struct ReadyForQuery = b'Z', backend(Short) {
        /// Whether a transaction is open.
        pub status: TransactionStatus,
    }
}

/// Whether a transaction is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TransactionStatus {
    /// `I`: no transaction.
    #[default]
    Idle,
    /// `T`: in a transaction block.
    InTransaction,
    /// `E`: in a transaction block that failed; until it ends, commands are refused.
    Failed,
}

impl TransactionStatus {
    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::InTransaction => b'T',
            Self::Failed => b'E',
        }
    }
}

impl fmt::Display for TransactionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::InTransaction => "in transaction",
            Self::Failed => "in failed transaction",
        })
    }
}

impl Form<'_, Self> for TransactionStatus {
    fn read(reader: &mut Reader<'_>, name: &Name) -> Result<Self, Bad> {
        // Decided before the byte is taken, so that the error points at it.
        let status = match reader.peek().first() {
            None | Some(b'I') => Self::Idle,
            Some(b'T') => Self::InTransaction,
            Some(b'E') => Self::Failed,
            Some(&found) => {
                let (found, expected) = (u32::from(found), "'I', 'T' or 'E'");
                return Err(reader.bad(Problem::Value { what: name.field, found, expected }));
            }
        };
        reader.u8(name.field)?;
        Ok(status)
    }

    fn write<S: Sink>(status: Self, out: &mut S, _: &'static str) {
        out.put(&[status.byte()])
    }

    fn trace(status: Self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.byte(status.byte())
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'_>) -> arbitrary::Result<Self> {
        u.arbitrary()
    }
}
