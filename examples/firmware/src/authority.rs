//! Who may do what. **To be replaced**: two words that everybody can read here are no secret. A token should be
//! signed, name the device, and live for minutes.

use feedrate::rdp::frame::{Domains, Fingerprint};
use feedrate_rdp::authority::{Authorize, Grant};

pub struct Tokens;

const HOUR: u32 = 3_600_000;

impl Authorize for Tokens {
    fn authorize(&mut self, token: &[u8], _: &Fingerprint) -> Result<Grant, u32> {
        match token {
            b"firmware-demo" => Ok(Grant { operator: *b"demo\0\0\0\0", domains: Domains::ALL, lasts: HOUR }),
            b"look" => Ok(Grant { operator: *b"guest\0\0\0", domains: Domains::OBSERVE, lasts: HOUR }),
            _ => Err(1),
        }
    }
}
