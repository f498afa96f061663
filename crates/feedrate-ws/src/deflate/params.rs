//! The parameters that both sides have agreed on: RFC 7692, section 7.1.

use feedrate::{Encode, EncodeError, Output};

use super::compress::Deflater;
use super::decompress::Window;
use crate::role::Role;

pub(super) const NAME: &str = "permessage-deflate";
pub(super) const SERVER_NO_CONTEXT: &str = "server_no_context_takeover";
pub(super) const CLIENT_NO_CONTEXT: &str = "client_no_context_takeover";
pub(super) const SERVER_BITS: &str = "server_max_window_bits";
pub(super) const CLIENT_BITS: &str = "client_max_window_bits";
/// The default window.
pub(super) const MOST: u8 = 15;
/// The default compression level.
pub(super) const LEVEL: u8 = 6;
/// The default threshold.
pub(super) const THRESHOLD: u32 = 32;

/// The agreed parameters, as a server writes them into its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Params {
    pub(super) server_no_context: bool,
    pub(super) client_no_context: bool,
    pub(super) server_bits: u8,
    pub(super) client_bits: u8,
    /// The client requested a smaller window, and the answer has to grant it: section 7.1.2.1.
    pub(super) says_server_bits: bool,
    /// The client lets the server choose the size of its window.
    pub(super) says_client_bits: bool,
    pub(super) level: u8,
    pub(super) threshold: u32,
}

impl Params {
    /// Whether the side begins each message with an empty window.
    pub const fn no_context(&self, side: Role) -> bool {
        match side {
            Role::Server => self.server_no_context,
            Role::Client => self.client_no_context,
        }
    }

    /// The largest window of this side, as an exponent of two.
    pub const fn window_bits(&self, side: Role) -> u8 {
        match side {
            Role::Server => self.server_bits,
            Role::Client => self.client_bits,
        }
    }

    /// Sets the compression level, from 1 (fast) to 9 (small). The default is that of the [`Config`](super::Config), or
    /// 6.
    #[must_use]
    pub const fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    /// Messages of fewer bytes are not compressed.
    #[must_use]
    pub const fn threshold(mut self, bytes: u32) -> Self {
        self.threshold = bytes;
        self
    }

    /// Bytes of heap that a side takes once it has received and sent a compressed message, without the messages
    /// themselves, on a 64-bit machine.
    pub fn memory(&self, side: Role) -> usize {
        const DECOMPRESS: usize = 47_680;
        const COMPRESS: usize = 249_120;
        let bits = zlib_bits(self.window_bits(side));
        // A window of twice the size, and a table of earlier positions with an entry for each byte.
        DECOMPRESS.saturating_add(COMPRESS).saturating_add(4 << bits)
    }

    /// The parameters for decompressing what the other side sends.
    pub(crate) fn window(&self, side: Role) -> Window {
        let peer = side.peer();
        Window::new(zlib_bits(self.window_bits(peer)), self.no_context(peer))
    }

    /// The compressor for what this side sends.
    pub(crate) fn deflater(&self, side: Role) -> Deflater {
        let level = self.level.clamp(1, 9);
        Deflater::new(zlib_bits(self.window_bits(side)), level, self.no_context(side), self.threshold)
    }
}

/// For a window of 256 bytes, zlib's of 512 is used. It keeps 262 bytes for itself, so it never refers back farther
/// than 250 bytes.
const fn zlib_bits(bits: u8) -> u8 {
    if bits < 9 { 9 } else { bits }
}

impl Encode for Params {
    fn write<O: Output>(&self, out: &mut O) -> Result<(), EncodeError> {
        out.put(NAME.as_bytes())?;
        put_flag(out, SERVER_NO_CONTEXT, self.server_no_context)?;
        put_flag(out, CLIENT_NO_CONTEXT, self.client_no_context)?;
        let server = self.says_server_bits || self.server_bits < MOST;
        put_bits(out, SERVER_BITS, server.then_some(self.server_bits))?;
        let client = self.says_client_bits && self.client_bits < MOST;
        put_bits(out, CLIENT_BITS, client.then_some(self.client_bits))
    }
}

/// Section 7.1.2: 8 to 15, without zeros before it.
pub(super) const BITS: [(&str, u8); 8] =
    [("8", 8), ("9", 9), ("10", 10), ("11", 11), ("12", 12), ("13", 13), ("14", 14), ("15", 15)];

pub(super) fn put_flag<O: Output>(out: &mut O, name: &str, flag: bool) -> Result<(), EncodeError> {
    if !flag {
        return Ok(());
    }
    out.put(b"; ")?;
    out.put(name.as_bytes())
}

pub(super) fn put_bits<O: Output>(out: &mut O, name: &str, bits: Option<u8>) -> Result<(), EncodeError> {
    let Some(bits) = bits else { return Ok(()) };
    let Some((text, _)) = BITS.iter().find(|(_, known)| *known == bits) else {
        return Err(EncodeError::Invalid { what: "window bits", expected: "8 to 15" });
    };
    put_flag(out, name, true)?;
    out.put(b"=")?;
    out.put(text.as_bytes())
}
