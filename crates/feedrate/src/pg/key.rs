//! BackendKeyData: what a CancelRequest has to show.

use super::error::Problem;
use super::message::{Body, tagged};
use super::reader::{Bad, Reader};
use super::text::Secret;
use super::write::Sink;
use crate::encode::EncodeError;

/// Process and key that a CancelRequest for this session has to show. Some servers never send it.
///
/// The key has 4 bytes in protocol 3.0, and 4 to 256 in 3.2 (PostgreSQL 18 sends 32).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackendKeyData<'a> {
    /// The server's process; some poolers send something else here.
    pub process_id: i32,
    /// The key, to be sent back as it is.
    pub key: Secret<'a>,
}

tagged!(BackendKeyData<'_>, b'K', Backend);

/// Bytes of a key that libpq accepts in protocol 3.2: `getBackendKeyData` in `fe-protocol3.c`.
pub(crate) const KEY_LENGTH: core::ops::RangeInclusive<usize> = 4..=256;

impl<'a> Body<'a> for BackendKeyData<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Bad> {
        let process_id = reader.i32("process")?;
        let length = reader.left();
        if !KEY_LENGTH.contains(&length) {
            let found = u32::try_from(length).unwrap_or(u32::MAX);
            return Err(reader.bad(Problem::Value {
                what: "length of the key",
                found,
                expected: "4 to 256 bytes",
            }));
        }
        Ok(Self { process_id, key: Secret::from(reader.rest()) })
    }

    fn write<S: Sink>(&self, out: &mut S) {
        if !KEY_LENGTH.contains(&self.key.expose().len()) {
            return out
                .refuse(EncodeError::Invalid { what: "BackendKeyData key", expected: "4 to 256 bytes" });
        }
        out.put(&self.process_id.to_be_bytes());
        out.put(self.key.expose())
    }
}
