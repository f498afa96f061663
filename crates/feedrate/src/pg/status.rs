//! What the server says about itself, without being asked: ParameterStatus, ReadyForQuery, NotificationResponse.

use super::error::Problem;
use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::text::Text;
use super::write::{Sink, put_text};

/// A setting's value, after authentication and whenever it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct ParameterStatus<'a> {
    /// The setting, such as `server_version` or `TimeZone`.
    pub name: Text<'a>,
    /// Its value.
    pub value: Text<'a>,
}

tagged!(ParameterStatus<'_>, b'S', Backend);

impl<'a> Body<'a> for ParameterStatus<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { name: reader.text()?, value: reader.text()? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        put_text(out, self.name, "ParameterStatus name");
        put_text(out, self.value, "ParameterStatus value")
    }
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct ReadyForQuery {
    /// Whether a transaction is open.
    pub status: TransactionStatus,
}

/// Whether a transaction is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum TransactionStatus {
    /// `I`: no transaction.
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

tagged!(ReadyForQuery, b'Z', Backend);

impl<'a> Body<'a> for ReadyForQuery {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let status = match reader.peek().first() {
            None | Some(b'I') => TransactionStatus::Idle,
            Some(b'T') => TransactionStatus::InTransaction,
            Some(b'E') => TransactionStatus::Failed,
            Some(&found) => {
                let expected = "'I', 'T' or 'E'";
                return Err(reader.bad(Problem::Value {
                    what: "transaction status",
                    found: u32::from(found),
                    expected,
                }));
            }
        };
        reader.u8("transaction status")?;
        Ok(Self { status })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        out.put(&[self.status.byte()])
    }
}

/// NOTIFY by another session, or by this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct NotificationResponse<'a> {
    /// The notifying session's process.
    pub process_id: i32,
    /// The channel.
    pub channel: Text<'a>,
    /// The payload, often empty.
    pub payload: Text<'a>,
}

tagged!(NotificationResponse<'_>, b'A', Backend);

impl<'a> Body<'a> for NotificationResponse<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        Ok(Self { process_id: reader.i32("process")?, channel: reader.text()?, payload: reader.text()? })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        out.put(&self.process_id.to_be_bytes());
        put_text(out, self.channel, "NotificationResponse channel");
        put_text(out, self.payload, "NotificationResponse payload")
    }
}
