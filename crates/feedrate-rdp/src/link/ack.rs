//! What ACK says (SPEC section 4.3).

/// Bytes of an ACK's payload.
pub(super) const ACK_SIZE: usize = 21;

/// What is wrong, as an ACK tells it.
pub(super) mod nack {
    pub(crate) const GAP: [u8; 2] = [1, 2];
    pub(crate) const HEADER: u8 = 4;
    pub(crate) const CRC: u8 = 8;
}

/// The payload of ACK (SPEC section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ack {
    pub(super) next: [u32; 2],
    pub(super) window: [u16; 2],
    pub(super) intact: u16,
    pub(super) failures: (u16, u16),
    pub(super) nack: u8,
    pub(super) signal_failures: u16,
}

impl Ack {
    pub(super) fn to_bytes(self) -> [u8; ACK_SIZE] {
        let [[a, b, c, d], [g, h, i, j]] = self.next.map(u32::to_be_bytes);
        let [[e, f], [k, l]] = self.window.map(u16::to_be_bytes);
        let [m, n] = self.intact.to_be_bytes();
        let [o, p] = self.failures.0.to_be_bytes();
        let [q, r] = self.failures.1.to_be_bytes();
        let [t, u] = self.signal_failures.to_be_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, self.nack, t, u]
    }

    pub(super) fn from_bytes(bytes: [u8; ACK_SIZE]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = bytes;
        Self {
            next: [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([g, h, i, j])],
            window: [u16::from_be_bytes([e, f]), u16::from_be_bytes([k, l])],
            intact: u16::from_be_bytes([m, n]),
            failures: (u16::from_be_bytes([o, p]), u16::from_be_bytes([q, r])),
            nack: s,
            signal_failures: u16::from_be_bytes([t, u]),
        }
    }
}
