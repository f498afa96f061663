//! All of a link except its lanes.

use core::time::Duration;

use feedrate::Instant;
use feedrate::rdp::Channel;

use super::health::Health;
use super::sender::Sender;
use super::status::{LinkCounts, LinkStatus};
use crate::count::count;
use crate::inbox::{Inboxes, Records};
use crate::line::{LineEnd, ResetReason};
use crate::role::Role;
use crate::sizes::{Buffer, Sizes};
use crate::time::{NEVER, earlier};

/// Generation of the link, in OPEN and ACCEPT.
pub(super) const GENERATION: u8 = 4;
/// The maximum interval between two ACKs.
pub(super) const ACK: Duration = Duration::from_millis(200);
/// How often OPEN is sent, and how many times.
pub(super) const OPEN: Duration = Duration::from_millis(250);
pub(super) const OPENINGS: u8 = 20;

/// All but the lanes. Times at which something is due are [`Instant::MAX`] if it is not.
#[repr(C)]
pub(super) struct Core<S: Sizes> {
    pub(super) ack_at: Instant,
    pub(super) open_at: Instant,
    /// Before that there is no further RESET to packets of no connection, and to foreign OPENs.
    pub(super) quiet_until: [Instant; 2],
    pub(super) health: Health,
    pub(super) cookie: u32,
    /// Of each channel, the position of the next byte that is expected.
    pub(super) expected: [u32; 2],
    /// Number of the next ACK, and of the last one that was accepted.
    pub(super) ack_number: u32,
    pub(super) heard_ack: u32,
    pub(super) counts: LinkCounts,
    /// What RESET is to be sent: connection, position, reason.
    pub(super) reset: Option<(u16, u32, ResetReason)>,
    pub(super) status: LinkStatus,
    pub(super) connection: u16,
    /// What this side has seen on its bulk lane, and failures on the signal lane.
    pub(super) intact: u16,
    pub(super) failures: [u16; 2],
    pub(super) signal_failures: u16,
    pub(super) role: Role,
    pub(super) has_bulk: bool,
    /// Others are refused.
    pub(super) busy: bool,
    /// DATA of this connection has arrived.
    pub(super) heard: bool,
    pub(super) nack: u8,
    pub(super) ack_due: bool,
    /// The last packet on the signal lane was an ACK: DATA goes before the next one.
    pub(super) ack_last: bool,
    pub(super) accept_due: bool,
    pub(super) openings: u8,
    /// OPEN, as it was sent last, was answered with "busy"; and one of those before was not.
    pub(super) refused: bool,
    pub(super) unanswered: bool,
    pub(super) crc_failure: bool,
    pub(super) senders: [Sender; 2],
    pub(super) inboxes: Inboxes<S>,
    pub(super) outgoing: [S::Send; 2],
}

impl<S: Sizes> Core<S> {
    pub(super) const fn new(role: Role, has_bulk: bool) -> Self {
        Self {
            ack_at: Instant::MAX,
            open_at: Instant::MAX,
            quiet_until: [Instant::ZERO; 2],
            health: Health::NEW,
            cookie: 0,
            expected: [0; 2],
            ack_number: 1,
            heard_ack: 0,
            counts: LinkCounts { stray: 0, damaged: 0 },
            reset: None,
            status: LinkStatus::Idle,
            connection: 0,
            intact: 0,
            failures: [0; 2],
            signal_failures: 0,
            role,
            has_bulk,
            busy: false,
            heard: false,
            nack: 0,
            ack_due: false,
            ack_last: false,
            accept_due: false,
            openings: 0,
            refused: false,
            unanswered: false,
            crc_failure: false,
            senders: [const { Sender::new(S::Send::SIZE) }; 2],
            inboxes: Inboxes::new(Records::LINK),
            outgoing: [S::Send::ZERO; 2],
        }
    }

    /// Nothing of an earlier connection is left.
    #[inline(never)]
    pub(super) fn restart(&mut self, now: Instant) {
        self.senders.iter_mut().for_each(Sender::restart);
        self.inboxes.restart();
        self.expected = [0; 2];
        self.health = Health::NEW;
        (self.intact, self.failures, self.signal_failures) = (0, [0; 2], 0);
        (self.nack, self.ack_due, self.ack_at) = (0, false, now.saturating_add(ACK));
        (self.ack_number, self.heard_ack) = (1, 0);
        (self.heard, self.accept_due, self.crc_failure) = (false, false, false);
        self.ack_last = false;
    }

    /// Ends what is open or opening. `tell`: the reason is sent to the peer.
    #[inline(never)]
    pub(super) fn end(&mut self, end: LineEnd, tell: Option<ResetReason>) {
        let reset = match self.status {
            LinkStatus::Open(connection) => tell.map(|reason| (connection, 0, reason)),
            LinkStatus::Opening => None,
            LinkStatus::Idle | LinkStatus::Ended(_) => return,
        };
        self.status = LinkStatus::Ended(end);
        self.reset = self.reset.or(reset);
        (self.ack_due, self.accept_due) = (false, false);
    }

    /// The connection, if there is one.
    pub(super) fn open(&self) -> Option<u16> {
        match self.status {
            LinkStatus::Open(connection) => Some(connection),
            _ => None,
        }
    }

    pub(super) fn sender(&self, channel: Channel) -> &Sender {
        let [urgent, ordinary] = &self.senders;
        match channel {
            Channel::Urgent => urgent,
            Channel::Ordinary => ordinary,
        }
    }

    /// The bulk lane has just become damaged: what was sent over it goes over the other one (SPEC section 4.4).
    pub(super) fn damaged(&mut self, now: Instant) {
        count(&mut self.counts.damaged);
        let [_, ordinary] = &mut self.senders;
        if !ordinary.is_idle() {
            ordinary.go_back(now);
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        match self.status {
            LinkStatus::Opening => self.open_at,
            LinkStatus::Open(_) => {
                let [urgent, ordinary] = self.senders.each_ref().map(Sender::deadline);
                [urgent, ordinary, self.health.probe_at(), self.ack_at].into_iter().fold(NEVER, earlier)
            }
            LinkStatus::Idle | LinkStatus::Ended(_) => NEVER,
        }
    }
}
