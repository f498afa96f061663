//! One session of one line, as the agent keeps it: who is there, what they may do, and when they were heard.

use feedrate::Instant;
use feedrate::rdp::frame::{Cause, Domains, Operator};

use super::device::Who;
use super::heartbeats::Heartbeats;
use super::registers::Known;
use crate::arch::Arch;
use crate::session::clock::{UNIT, units};
use crate::time::{Span, earlier, later};

/// How long a session continues after its grant has expired.
pub(super) const EXPIRED: Span = 60_000_000;

/// What a session is granted, and until when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted {
    pub(super) operator: Operator,
    pub(super) domains: Domains,
    pub(super) until: Instant,
    /// Its expiry was detected. It is not checked again, whatever the clock does.
    pub(super) expired: Option<Instant>,
}

/// What a message leads to, beside its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The handshake failed.
    Failed,
    /// Say goodbye.
    Bye(Cause),
    /// The peer has said goodbye, for this reason; this side has answered.
    Answered(Cause),
    /// The peer has answered this side's goodbye.
    Done,
}

/// A session.
pub(super) struct Visit<A: Arch> {
    /// It can only observe: the line is an observer's.
    pub(super) observer: bool,
    /// The longest message that the line takes on channel 1, and how many commands.
    pub(super) longest: usize,
    pub(super) credit: u8,
    pub(super) grant: Option<Granted>,
    /// When its clock began.
    pub(super) started: Option<Instant>,
    /// Its value in the last message.
    told: u32,
    /// Its number in the log.
    pub(super) number: u32,
    pub(super) suite: u16,
    /// The program's, at Hello.
    pub(super) generation: u32,
    /// State is to be sent; and then its CRC.
    pub(super) state_due: bool,
    pub(super) agreed: Option<u32>,
    pub(super) known: Known<A>,
    pub(super) heartbeats: Heartbeats,
    /// Sequences of the last Halt and of the last Release.
    pub(super) halted: Option<u32>,
    pub(super) released: Option<u32>,
    /// The command that the metrics answer: they can be read only when it has left the queue.
    pub(super) metrics_due: Option<u32>,
    pub(super) end: Option<End>,
}

impl<A: Arch> Visit<A> {
    pub(super) const fn new(observer: bool, longest: usize, credit: u8) -> Self {
        Self {
            observer,
            longest,
            credit,
            grant: None,
            started: None,
            told: 0,
            number: 0,
            suite: 0,
            generation: 0,
            state_due: false,
            agreed: None,
            known: Known::NOTHING,
            heartbeats: Heartbeats::NEW,
            halted: None,
            released: None,
            metrics_due: None,
            end: None,
        }
    }

    /// Whoever comes next begins with nothing.
    pub(super) fn renew(&mut self) {
        self.grant = None;
        (self.started, self.told, self.number) = (None, 0, 0);
        (self.state_due, self.agreed) = (false, None);
        self.known.forget();
        self.heartbeats = Heartbeats::NEW;
        (self.halted, self.released) = (None, None);
        (self.metrics_due, self.end) = (None, None);
    }

    /// The session's clock, as a message states it: it does not go back, whatever the clock does that drives it.
    #[inline(never)]
    pub(super) fn tell_time(&mut self, now: Instant) -> u32 {
        self.told = self.told.max(self.clock(now));
        self.told
    }

    /// The session's clock.
    #[inline(never)]
    pub(super) fn clock(&self, now: Instant) -> u32 {
        self.started.map_or(0, |started| units(started, now))
    }

    #[inline(never)]
    pub(super) fn who(&self, now: Instant) -> Who {
        Who {
            operator: self.grant.map_or([0; 8], |grant| grant.operator),
            session: self.number,
            suite: self.suite,
            clock: self.clock(now),
        }
    }

    /// When there is something to do for an active session whose host is lost after so long a silence.
    pub(super) fn deadline(&self, loss: Span) -> Instant {
        let mut at = self.heartbeats.due();
        if let Some(started) = self.started {
            let heard = u64::from(self.heartbeats.heard()).saturating_mul(UNIT);
            at = earlier(at, later(started, heard.saturating_add(loss)));
        }
        if let Some(grant) = &self.grant {
            at = earlier(at, grant.expired.map_or(grant.until, |expired| later(expired, EXPIRED)));
        }
        at
    }

    /// What was granted at Hello, expired or not. An observer's line grants no more than observe.
    pub(super) fn granted(&self) -> Domains {
        let granted = self.grant.map_or(Domains(0), |grant| grant.domains);
        if self.observer { both(granted, Domains::OBSERVE) } else { granted }
    }

    /// What may be done now, as far as the machine permits it.
    pub(super) fn allowed(&self, permitted: Domains) -> Domains {
        let expired = self.grant.is_none_or(|grant| grant.expired.is_some());
        if expired { Domains(0) } else { both(self.granted(), permitted) }
    }
}

/// What is in both.
pub(super) const fn both(a: Domains, b: Domains) -> Domains {
    Domains(a.0 & b.0)
}
