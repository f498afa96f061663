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

/// CRC-16/IBM-3740: the check of a packet's header.
pub(super) fn header(bytes: &[u8]) -> u16 {
    CRC_16.checksum(bytes)
}

/// CRC-32/ISO-HDLC of some pieces, one behind the other: the packet's CRC, and that of State.
///
/// ```
/// assert_eq!(feedrate::rdp::crc::crc_32(&[b"1234", b"56789"]), 0xCBF4_3926);
/// ```
#[cfg_attr(target_os = "none", inline(never))]
pub fn crc_32(pieces: &[&[u8]]) -> u32 {
    let mut digest = CRC_32.digest();
    for piece in pieces {
        if !piece.is_empty() {
            digest.update(piece);
        }
    }
    digest.finalize()
}

/// CRC-32/ISCSI of some pieces, one behind the other: the tag of a message that has no better seal.
///
/// ```
/// assert_eq!(feedrate::rdp::crc::crc_32c(&[b"1234", b"56789"]), 0xE306_9283);
/// ```
#[cfg_attr(target_os = "none", inline(never))]
pub fn crc_32c(pieces: &[&[u8]]) -> u32 {
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
        assert_eq!(crc_32(&[b"1234", b"", b"56789"]), 0xCBF4_3926);
        assert_eq!(crc_32c(&[b"123456789"]), 0xE306_9283);
    }
}
