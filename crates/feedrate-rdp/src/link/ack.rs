//! The payload of ACK (SPEC section 4.3).

/// Bytes of an ACK's payload.
pub(super) const SIZE: usize = 21;
pub(super) const WORDS: usize = 6;

/// What is wrong, as an ACK reports it.
pub(super) mod nack {
    pub(crate) const GAP: [u8; 2] = [1, 2];
    pub(crate) const HEADER: u8 = 4;
    pub(crate) const CRC: u8 = 8;
}

/// The payload of ACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ack {
    /// Of each channel: the next byte that is expected, and how many there is room for.
    pub(super) next: [u32; 2],
    pub(super) window: [u16; 2],
    /// Of the bulk lane: intact packets, header failures and CRC failures.
    pub(super) intact: u16,
    pub(super) failures: [u16; 2],
    pub(super) nack: u8,
    pub(super) signal_failures: u16,
}

impl Ack {
    /// The bytes, and three more that do not belong to it: words need less code.
    pub(super) fn to_words(self) -> [[u8; 4]; WORDS] {
        let ([next_0, next_1], [window_0, window_1]) = (self.next, self.window);
        let [header, crc] = self.failures;
        let pair = |high, low| (u32::from(high) << 16) | u32::from(low);
        let tail = pair(crc, self.signal_failures >> 8);
        [
            next_0.to_be_bytes(),
            ((u32::from(window_0) << 16) | (next_1 >> 16)).to_be_bytes(),
            ((next_1 << 16) | u32::from(window_1)).to_be_bytes(),
            pair(self.intact, header).to_be_bytes(),
            (tail | (u32::from(self.nack) << 8)).to_be_bytes(),
            (u32::from(self.signal_failures) << 24).to_be_bytes(),
        ]
    }

    /// `None`: it is too short. Further bytes are ignored.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] =
            *payload.first_chunk::<SIZE>()?;
        Some(Self {
            next: [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([g, h, i, j])],
            window: [u16::from_be_bytes([e, f]), u16::from_be_bytes([k, l])],
            intact: u16::from_be_bytes([m, n]),
            failures: [u16::from_be_bytes([o, p]), u16::from_be_bytes([q, r])],
            nack: s,
            signal_failures: u16::from_be_bytes([t, u]),
        })
    }
}
