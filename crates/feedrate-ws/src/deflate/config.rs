//! A server's configuration: RFC 7692, section 7.1.

use super::offer::Offer;
use super::params::{LEVEL, MOST, Params, THRESHOLD};

/// A server's configuration of compression. The default compresses as well as possible.
///
/// ```
/// use feedrate_ws::Role;
/// use feedrate_ws::deflate::{Config, Offer};
///
/// const CONFIG: Config = Config::new().server_bits(10).level(1);
/// assert_eq!(CONFIG.accept(&Offer::new()).window_bits(Role::Server), 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Config {
    /// The server begins each message with an empty window.
    pub server_no_context: bool,
    /// The client has to begin each message with an empty window.
    pub client_no_context: bool,
    /// The server's largest window, as an exponent of two: 8 (256 bytes) to 15 (32 KiB).
    pub server_bits: u8,
    /// The client's largest window, if the client lets the server choose it.
    pub client_bits: u8,
    /// 1, fast, to 9, small.
    pub level: u8,
    /// Messages with fewer bytes are not compressed.
    pub threshold: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// The [default](Self).
    pub const fn new() -> Self {
        Self {
            server_no_context: false,
            client_no_context: false,
            server_bits: MOST,
            client_bits: MOST,
            level: LEVEL,
            threshold: THRESHOLD,
        }
    }

    /// Sets whether the server begins each message with an empty window.
    #[must_use]
    pub const fn server_no_context(mut self, wanted: bool) -> Self {
        self.server_no_context = wanted;
        self
    }

    /// Sets whether the client has to begin each message with an empty window.
    #[must_use]
    pub const fn client_no_context(mut self, wanted: bool) -> Self {
        self.client_no_context = wanted;
        self
    }

    /// Sets the server's largest window, as an exponent of two: 8 to 15. The default is 15.
    #[must_use]
    pub const fn server_bits(mut self, bits: u8) -> Self {
        self.server_bits = bits;
        self
    }

    /// Sets the client's largest window, if the client lets the server choose it, as an exponent of two: 8 to 15. The
    /// default is 15.
    #[must_use]
    pub const fn client_bits(mut self, bits: u8) -> Self {
        self.client_bits = bits;
        self
    }

    /// Sets the compression level, from 1 (fast) to 9 (small). The default is 6.
    #[must_use]
    pub const fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    /// Messages of fewer bytes are not compressed. The default is 32.
    #[must_use]
    pub const fn threshold(mut self, bytes: u32) -> Self {
        self.threshold = bytes;
        self
    }

    /// The parameters to agree on if the client offers this.
    pub fn accept(&self, offer: &Offer) -> Params {
        Params {
            server_no_context: self.server_no_context || offer.server_no_context,
            client_no_context: self.client_no_context || offer.client_no_context,
            server_bits: in_range(self.server_bits).min(offer.server_bits.unwrap_or(MOST)),
            client_bits: match offer.client_bits {
                Some(hint) => in_range(self.client_bits).min(hint.unwrap_or(MOST)),
                None => MOST,
            },
            says_server_bits: offer.server_bits.is_some(),
            says_client_bits: offer.client_bits.is_some(),
            level: self.level,
            threshold: self.threshold,
        }
    }
}

const fn in_range(bits: u8) -> u8 {
    match bits {
        ..=8 => 8,
        MOST.. => MOST,
        bits => bits,
    }
}
