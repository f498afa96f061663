//! How a session begins (SPEC sections 5.4 and 5.5).

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{Hello, List, SealRecord, Secret, Welcome};

use super::device::Device;
use super::event::Closed;
use super::{Host, HostConfig};
use crate::limits::{FIRST_LIMIT, LONGEST, VERSION};
use crate::line::Line;
use crate::session::seal::{SEAL_RECORD, Seal};
use crate::session::{SessionEvent, SessionState};
use crate::sizes::Buffer;

/// Suites that Hello can offer: it has to leave room for the longest token.
const OFFERS: usize = 16;

impl<L: Line, Z: Seal> Host<L, Z> {
    /// Sends the first message, once there is a line.
    pub(super) fn begin(&mut self, now: Instant) {
        if self.state() == SessionState::Idle && self.endpoint.line.connection().is_some() {
            self.endpoint.session.advance(SessionEvent::Start);
            self.since = now;
            // The seal's records come before it.
            if self.endpoint.session.is_sealed() {
                self.hello(now);
            }
        }
    }

    fn hello(&mut self, now: Instant) {
        let token = self.token.get(..self.token_length).unwrap_or_default();
        let own = [Z::SUITE];
        let hello = Hello {
            lowest: VERSION,
            highest: VERSION,
            nonce: self.nonce,
            longest: u16::try_from(L::Message::SIZE.min(LONGEST)).unwrap_or(u16::MAX),
            suites: List::new(offers(&self.config, &own)),
            token: Secret::new(token),
        };
        // There is room in a line that nothing has been sent on.
        let _ = self.endpoint.send(&hello, Channel::Urgent, 0, now);
        // Its own tag covers zeros.
        self.endpoint.session.set_host_nonce(self.nonce);
        self.endpoint.line.accept(L::Message::SIZE);
    }

    /// Sends the next record of the seal's handshake, and Hello after the last one (SPEC section 5.5).
    pub(super) fn seal_records(&mut self, now: Instant) {
        if self.state() != SessionState::Connecting
            || self.endpoint.session.is_sealed()
            || !self.endpoint.has_room(Channel::Urgent, FIRST_LIMIT)
        {
            return;
        }
        let mut record = [0; SEAL_RECORD];
        if let Some(length) = self.endpoint.session.seal().next_record(&mut record) {
            let record = Secret::new(record.get(..length).unwrap_or(&record));
            let record = SealRecord { suite: Z::SUITE, record };
            let _ = self.endpoint.send(&record, Channel::Urgent, 0, now);
        }
        self.endpoint.session.seal_from_now();
        if self.endpoint.session.is_sealed() {
            self.hello(now);
        }
    }
}

/// The suites that a host offers, in ascending order of preference.
fn offers<'o>(config: &HostConfig, own: &'o [u16]) -> &'o [u16] {
    let most = config.offers.len().saturating_sub(OFFERS);
    match config.offers.get(most..) {
        None | Some([]) => own,
        Some(offers) => offers,
    }
}

/// What prevents a host from accepting a Welcome (SPEC section 5.4). `first`: the message is the agent's first one.
/// `suite` is the one in use.
pub(super) fn check(
    welcome: &Welcome<'_>,
    first: bool,
    suite: u16,
    nonce: &[u8; 16],
    config: &HostConfig,
) -> Result<Device, Closed> {
    if !first || welcome.host_nonce != *nonce {
        return Err(Closed::WrongWelcome);
    }
    if welcome.version != VERSION {
        return Err(Closed::WrongVersion(welcome.version));
    }
    if welcome.suite != suite {
        return Err(Closed::WrongSuite { named: welcome.suite, used: suite });
    }
    if suite < config.suite {
        return Err(Closed::WeakSuite { used: suite, least: config.suite });
    }
    let own = [suite];
    let preferred = offers(config, &own).iter().rev().take_while(|offered| **offered != suite);
    for better in preferred {
        if welcome.suites.into_iter().any(|there| there == *better) {
            return Err(Closed::Downgraded { used: suite, better: *better });
        }
    }
    let device = Device::new(welcome);
    if config.device.is_some_and(|meant| meant != device.fingerprint) {
        return Err(Closed::WrongDevice(device.fingerprint));
    }
    match config.generation {
        Some(expected) if expected != device.generation => {
            Err(Closed::WrongProgram { found: device.generation, expected })
        }
        _ => Ok(device),
    }
}
