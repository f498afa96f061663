//! SSLRequest: an untagged packet without parameters.

use super::request;

request! {
    /// Asks for TLS. The answer is one byte.
    // The code is `NEGOTIATE_SSL_CODE` in `libpq/pqcomm.h`.
    pub struct SSLRequest = 80_877_103;
}
