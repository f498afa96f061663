//! What a server wants: RFC 7692, section 7.1.

use super::offer::Offer;
use super::params::{LEVEL, MOST, Params, THRESHOLD};

/// What a server wants. The default compresses as well as it can.
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
    /// The client has to.
    pub client_no_context: bool,
    /// The server's window has 2 to the power of this many bytes at most: 8 to 15.
    pub server_bits: u8,
    /// So the client's, if it lets the server say so.
    pub client_bits: u8,
    /// 1, fast, to 9, small.
    pub level: u8,
    /// Messages with fewer bytes go as they are.
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

    /// Whether the server begins each message with an empty window.
    #[must_use]
    pub const fn server_no_context(mut self, wanted: bool) -> Self {
        self.server_no_context = wanted;
        self
    }

    /// Whether the client has to begin each message with an empty window.
    #[must_use]
    pub const fn client_no_context(mut self, wanted: bool) -> Self {
        self.client_no_context = wanted;
        self
    }

    /// The server's window has 2 to the power of this many bytes at most: 8 to 15. 15, if this is not called.
    #[must_use]
    pub const fn server_bits(mut self, bits: u8) -> Self {
        self.server_bits = bits;
        self
    }

    /// The client's window has 2 to the power of this many bytes at most, if it lets the server say so: 8 to 15. 15, if
    /// this is not called.
    #[must_use]
    pub const fn client_bits(mut self, bits: u8) -> Self {
        self.client_bits = bits;
        self
    }

    /// Compresses at this level: 1, fast, to 9, small. 6, if this is not called.
    #[must_use]
    pub const fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    /// Does not compress messages of fewer bytes. 32, if this is not called.
    #[must_use]
    pub const fn threshold(mut self, bytes: u32) -> Self {
        self.threshold = bytes;
        self
    }

    /// What is agreed on, if the client offers this.
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
