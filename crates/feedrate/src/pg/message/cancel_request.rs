//! CancelRequest: an untagged packet, on a connection of its own.

use core::fmt;

use super::{Fields, startup};
use crate::encode::EncodeError;
use crate::pg::error::Problem;
use crate::pg::reader::{Bad, Reader};
use crate::pg::text::Secret;
use crate::pg::trace::Printer;
use crate::pg::write::Sink;

/// Asks to cancel what another session is doing. It is sent on a connection of its own, and has no answer.
///
/// It does not contain the protocol version of that session, so the key is all the bytes that follow.
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
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CancelRequest<'a> {
    /// From the session's BackendKeyData.
    pub process_id: i32,
    /// From the session's BackendKeyData. Servers compare it in constant time; so does `==`.
    pub key: Secret<'a>,
}

impl CancelRequest<'_> {
    /// The code in place of a version: `CANCEL_REQUEST_CODE` in `libpq/pqcomm.h`.
    pub(crate) const CODE: u32 = 80_877_102;
}

/// Bytes of a key that servers read: `ProcessCancelRequestPacket` in `backend_startup.c`.
const KEY_LENGTH: core::ops::RangeInclusive<usize> = 1..=256;

impl<'a> Fields<'a> for CancelRequest<'a> {
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
        out.put(&Self::CODE.to_be_bytes());
        out.put(&self.process_id.to_be_bytes());
        out.put(self.key.expose())
    }

    fn trace(&self, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.code(Self::CODE)?;
        out.volatile(self.process_id)?;
        out.hidden()
    }
}

startup!(CancelRequest<'a>);

#[cfg(feature = "arbitrary")]
impl<'a> arbitrary::Arbitrary<'a> for CancelRequest<'a> {
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
        let process_id = u.arbitrary()?;
        let length = u.int_in_range(KEY_LENGTH)?;
        Ok(Self { process_id, key: Secret::from(u.bytes(length)?) })
    }
}
