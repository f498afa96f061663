//! ReadyForQuery: the server waits for a command.

use core::fmt;

use super::message;
use crate::encode::EncodeError;
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
    /// Another byte. No server sends one; libpq treats it as `PQTRANS_UNKNOWN` and goes on (`getReadyForQuery` in
    /// `fe-protocol3.c`).
    Unknown(u8),
}

impl TransactionStatus {
    const fn from_byte(byte: u8) -> Self {
        match byte {
            b'I' => Self::Idle,
            b'T' => Self::InTransaction,
            b'E' => Self::Failed,
            byte => Self::Unknown(byte),
        }
    }

    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::InTransaction => b'T',
            Self::Failed => b'E',
            Self::Unknown(byte) => byte,
        }
    }
}

impl fmt::Display for TransactionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "idle",
            Self::InTransaction => "in transaction",
            Self::Failed => "in failed transaction",
            Self::Unknown(_) => "unknown",
        })
    }
}

impl Form<'_, Self> for TransactionStatus {
    fn read(reader: &mut Reader<'_>, name: &Name) -> Result<Self, Bad> {
        reader.u8(name.field).map(Self::from_byte)
    }

    fn write<S: Sink>(status: Self, out: &mut S, what: &'static str) {
        if let Self::Unknown(b'I' | b'T' | b'E') = status {
            return out
                .refuse(EncodeError::Invalid { what, expected: "a byte that has no variant of its own" });
        }
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

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for TransactionStatus {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        u.arbitrary().map(Self::from_byte)
    }
}
