//! Who may do what. **To be replaced**: two words that everybody can read here are not secret. A token should be
//! signed, name the device, and be valid for minutes.

use core::time::Duration;

use feedrate::rdp::frame::Domains;
use feedrate_rdp::authority::{Authorize, Claim, Grant};

pub struct Tokens;

const HOUR: Duration = Duration::from_secs(3600);

impl Authorize for Tokens {
    fn authorize(&mut self, claim: &Claim<'_>) -> Result<Grant, u32> {
        match claim.token {
            b"firmware-demo" => Ok(Grant::new(*b"demo\0\0\0\0", Domains::ALL, HOUR)),
            b"look" => Ok(Grant::new(*b"guest\0\0\0", Domains::OBSERVE, HOUR)),
            _ => Err(1),
        }
    }
}
