//! GSSENCRequest: an untagged packet without parameters.

use super::request;

request! {
    /// Asks for GSSAPI encryption. The answer is one byte.
    // The code is `NEGOTIATE_GSS_CODE` in `libpq/pqcomm.h`.
    pub struct GSSENCRequest = 80_877_104;
}
