//! BackendKeyData: process and key for a CancelRequest.

use core::fmt;

use super::message;
use crate::encode::EncodeError;
use crate::pg::error::Problem;
use crate::pg::form::{Form, Name, Process};
use crate::pg::reader::{Bad, Reader};
use crate::pg::text::Secret;
use crate::pg::trace::Printer;
use crate::pg::write::Sink;

message! {
    /// The process and key that a CancelRequest for this session has to contain. Some servers never send it.
    ///
    /// The key has 4 bytes in protocol 3.0, and 4 to 256 in 3.2 (PostgreSQL 18 sends 32).
    pub struct BackendKeyData<'a> = b'K', backend(Short) {
        /// The server's process; some poolers send something else here.
        pub process_id: i32 as Process,
        /// The key, to be sent back unchanged.
        pub key: Secret<'a> as Key,
    }
}

/// All bytes that are left, if their number is valid for a key.
struct Key;

impl Key {
    /// What libpq accepts in protocol 3.2: `getBackendKeyData` in `fe-protocol3.c`.
    const LENGTH: core::ops::RangeInclusive<usize> = 4..=256;
    const EXPECTED: &'static str = "4 to 256 bytes";
}

impl<'a> Form<'a, Secret<'a>> for Key {
    fn read(reader: &mut Reader<'a>, _: &Name) -> Result<Secret<'a>, Bad> {
        let length = reader.left();
        if !Self::LENGTH.contains(&length) {
            let (what, found) = ("length of the key", u32::try_from(length).unwrap_or(u32::MAX));
            return Err(reader.bad(Problem::Value { what, found, expected: Self::EXPECTED }));
        }
        Ok(Secret::from(reader.rest()))
    }

    fn write<S: Sink>(key: Secret<'a>, out: &mut S, what: &'static str) {
        if !Self::LENGTH.contains(&key.expose().len()) {
            return out.refuse(EncodeError::Invalid { what, expected: Self::EXPECTED });
        }
        out.put(key.expose())
    }

    fn trace(_: Secret<'a>, out: &mut Printer<'_, '_>) -> fmt::Result {
        out.hidden()
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(u: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Secret<'a>> {
        let length = u.int_in_range(Self::LENGTH)?;
        Ok(Secret::from(u.bytes(length)?))
    }
}
