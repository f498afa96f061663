//! The three checksums (SPEC sections 3 and 5.5).
//!
//! With a table of 16 entries each, 160 bytes in all, and two steps for a byte: firmware can spare time rather than
//! flash. Feature `crc-table` spends 2.5 KiB on tables, `std` 40 KiB.

#[cfg(not(any(feature = "crc-table", feature = "std")))]
use self::half_bytes as by;
#[cfg(any(feature = "crc-table", feature = "std"))]
use self::tables as by;

/// CRC-16/IBM-3740: the check of a packet's header.
pub(super) fn header(bytes: &[u8]) -> u16 {
    by::header(bytes)
}

/// CRC-32/ISO-HDLC of some pieces, one after another: the packet's CRC, and that of State.
///
/// ```
/// assert_eq!(feedrate::rdp::crc::crc_32(&[b"1234", b"56789"]), 0xCBF4_3926);
/// ```
#[cfg_attr(target_os = "none", inline(never))]
pub fn crc_32(pieces: &[&[u8]]) -> u32 {
    by::crc_32(pieces)
}

/// CRC-32/ISCSI of some pieces, one after another: the tag of a message that has no better seal.
///
/// ```
/// assert_eq!(feedrate::rdp::crc::crc_32c(&[b"1234", b"56789"]), 0xE306_9283);
/// ```
#[inline]
pub fn crc_32c(pieces: &[&[u8]]) -> u32 {
    crc_32c_from(0, pieces)
}

/// The same, after bytes of which `before` is the [CRC](crc_32c), so that those are processed only once: the nonces,
/// which are the same in a whole session. Of nothing it is 0.
///
/// ```
/// use feedrate::rdp::crc;
///
/// let nonces = crc::crc_32c(&[&[7; 16], &[8; 16]]);
/// assert_eq!(crc::crc_32c_from(nonces, &[b"message"]), crc::crc_32c(&[&[7; 16], &[8; 16], b"message"]));
/// ```
#[cfg_attr(target_os = "none", inline(never))]
pub fn crc_32c_from(before: u32, pieces: &[&[u8]]) -> u32 {
    by::crc_32c_from(before, pieces)
}

/// Half a byte at a time.
#[cfg(any(test, not(any(feature = "crc-table", feature = "std"))))]
mod half_bytes {
    /// The effect on the register of each of the 16 values that leave it.
    type Table<T> = [T; 16];

    #[rustfmt::skip]
    const CRC_16: Table<u16> = [
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
    0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF,
    ];
    #[rustfmt::skip]
    static CRC_32: Table<u32> = [
    0x0000_0000, 0x1DB7_1064, 0x3B6E_20C8, 0x26D9_30AC, 0x76DC_4190, 0x6B6B_51F4, 0x4DB2_6158, 0x5005_713C,
    0xEDB8_8320, 0xF00F_9344, 0xD6D6_A3E8, 0xCB61_B38C, 0x9B64_C2B0, 0x86D3_D2D4, 0xA00A_E278, 0xBDBD_F21C,
    ];
    #[rustfmt::skip]
    static CRC_32C: Table<u32> = [
    0x0000_0000, 0x105E_C76F, 0x20BD_8EDE, 0x30E3_49B1, 0x417B_1DBC, 0x5125_DAD3, 0x61C6_9362, 0x7198_540D,
    0x82F6_3B78, 0x92A8_FC17, 0xA24B_B5A6, 0xB215_72C9, 0xC38D_26C4, 0xD3D3_E1AB, 0xE330_A81A, 0xF36E_6F75,
    ];

    pub(super) fn header(bytes: &[u8]) -> u16 {
        bytes.iter().fold(u16::MAX, |crc, byte| {
            let crc = step_up(crc, byte >> 4);
            step_up(crc, byte & 15)
        })
    }

    pub(super) fn crc_32(pieces: &[&[u8]]) -> u32 {
        !update(&CRC_32, u32::MAX, pieces)
    }

    pub(super) fn crc_32c_from(before: u32, pieces: &[&[u8]]) -> u32 {
        !update(&CRC_32C, !before, pieces)
    }

    /// Highest bit first.
    fn step_up(crc: u16, half: u8) -> u16 {
        let index = usize::from(crc >> 12) ^ usize::from(half);
        (crc << 4) ^ CRC_16.get(index & 15).copied().unwrap_or_default()
    }

    /// Lowest bit first.
    #[inline(never)]
    fn update(table: &Table<u32>, crc: u32, pieces: &[&[u8]]) -> u32 {
        let bytes = pieces.iter().copied().flatten();
        bytes.fold(crc, |crc, byte| step_down(table, step_down(table, crc ^ u32::from(*byte))))
    }

    #[inline]
    fn step_down(table: &Table<u32>, crc: u32) -> u32 {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 4) ^ table.get(usize::from(low & 15)).copied().unwrap_or_default()
    }
}

#[cfg(any(feature = "crc-table", feature = "std"))]
mod tables {
    use crc::{CRC_16_IBM_3740, CRC_32_ISCSI, CRC_32_ISO_HDLC, Crc};

    #[cfg(feature = "std")]
    type Tables = crc::Table<16>;
    #[cfg(not(feature = "std"))]
    type Tables = crc::Table<1>;

    static CRC_16: Crc<u16, Tables> = Crc::<u16, Tables>::new(&CRC_16_IBM_3740);
    static CRC_32: Crc<u32, Tables> = Crc::<u32, Tables>::new(&CRC_32_ISO_HDLC);
    static CRC_32C: Crc<u32, Tables> = Crc::<u32, Tables>::new(&CRC_32_ISCSI);

    pub(super) fn header(bytes: &[u8]) -> u16 {
        CRC_16.checksum(bytes)
    }

    pub(super) fn crc_32(pieces: &[&[u8]]) -> u32 {
        let mut digest = CRC_32.digest();
        for piece in pieces {
            if !piece.is_empty() {
                digest.update(piece);
            }
        }
        digest.finalize()
    }

    pub(super) fn crc_32c_from(before: u32, pieces: &[&[u8]]) -> u32 {
        // The register as it was before the final XOR, in the order of bits in which it is given as an initial value.
        let mut digest = CRC_32C.digest_with_initial((!before).reverse_bits());
        for piece in pieces {
            digest.update(piece);
        }
        digest.finalize()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_s_check_values() {
        assert_eq!(header(b"123456789"), 0x29B1);
        assert_eq!(crc_32(&[b"1234", b"", b"56789"]), 0xCBF4_3926);
        assert_eq!(crc_32c(&[b"123456789"]), 0xE306_9283);
        for at in 0..=9 {
            let (before, behind) = b"123456789".split_at(at);
            assert_eq!(crc_32c_from(crc_32c(&[before]), &[behind]), 0xE306_9283);
        }
        assert_eq!((crc_32c(&[]), crc_32c(&[b""])), (0, 0));
    }

    /// Every value of a byte, behind every other: all that there is in a table is used.
    #[test]
    fn half_bytes_are_as_good_as_tables() {
        for first in 0..=255 {
            for second in 0..=255 {
                let bytes = [first, second];
                let (a, b) = (bytes.split_at(1), first ^ second);
                assert_eq!(half_bytes::header(&bytes), header(&bytes));
                assert_eq!(half_bytes::crc_32(&[a.0, a.1]), crc_32(&[&bytes]));
                let before = u32::from(b) << 24 | u32::from(first);
                assert_eq!(half_bytes::crc_32c_from(before, &[a.0, a.1]), crc_32c_from(before, &[&bytes]));
            }
        }
    }
}
