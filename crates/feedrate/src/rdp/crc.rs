//! The three checksums (SPEC sections 3 and 5.4).
//!
//! Bit by bit and without a table, unless feature `crc-table` spends 2.5 KiB on tables, or `std` 40 KiB.

#[cfg(all(feature = "crc-table", not(feature = "std")))]
use crc::Table;
use crc::{CRC_16_IBM_3740, CRC_32_ISCSI, CRC_32_ISO_HDLC, Crc};

#[cfg(feature = "std")]
type Tables = crc::Table<16>;
#[cfg(all(feature = "crc-table", not(feature = "std")))]
type Tables = Table<1>;
#[cfg(not(any(feature = "crc-table", feature = "std")))]
type Tables = crc::NoTable;

static CRC_16: Crc<u16, Tables> = Crc::<u16, Tables>::new(&CRC_16_IBM_3740);
static CRC_32: Crc<u32, Tables> = Crc::<u32, Tables>::new(&CRC_32_ISO_HDLC);
static CRC_32C: Crc<u32, Tables> = Crc::<u32, Tables>::new(&CRC_32_ISCSI);

/// The header check.
pub(super) fn header(bytes: &[u8]) -> u16 {
    CRC_16.checksum(bytes)
}

/// The packet's CRC, as its bytes come.
pub(super) struct Crc32(crc::Digest<'static, u32, Tables>);

impl Crc32 {
    pub(super) fn new() -> Self {
        Self(CRC_32.digest())
    }

    #[inline(never)]
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(super) fn finish(self) -> u32 {
        self.0.finalize()
    }
}

/// The packet's CRC, and that of State.
pub(super) fn crc_32<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> u32 {
    let mut crc = Crc32::new();
    pieces.into_iter().for_each(|piece| crc.update(piece));
    crc.finish()
}

/// The default seal's tag.
pub(super) fn crc_32c<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> u32 {
    let mut digest = CRC_32C.digest();
    for piece in pieces {
        digest.update(piece);
    }
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_s_check_values() {
        assert_eq!(header(b"123456789"), 0x29B1);
        assert_eq!(crc_32([&b"1234"[..], b"56789"]), 0xCBF4_3926);
        assert_eq!(crc_32c([&b"123456789"[..]]), 0xE306_9283);
    }
}
