//! A program that comes to a stand, and what follows (SPEC section 8.4).

use feedrate::rdp::frame::{Reason, Stopped};

use super::Agent;
use super::body::Body;
use super::stops::{Event, StopCause};
use crate::arch::Arch;
use crate::authority::Authorize;
use crate::link::buffer::Sizes;
use crate::session::SessionState;
use crate::session::seal::Seal;
use crate::target::{Refusal, Target};
use crate::time::Millis;

impl<A: Arch, U> Body<A, U> {
    /// Begins the next step of those that are under way.
    pub(super) fn go_on<T: Target<Arch = A>>(&mut self, target: &mut T) {
        self.stops.next = false;
        let refused = match target.stepping() {
            Some(stepping) => stepping.step().err(),
            None => Some(Refusal::Unsupported),
        };
        if let Some(refusal) = refused {
            self.stops.due = self.stops.give_up(refusal);
        }
    }
}

impl<A: Arch, U: Authorize, S: Sizes, Z: Seal> Agent<A, U, S, Z> {
    /// The program has come to a stand. The registers are captured, the host is told, and if it has asked for more
    /// steps, the next one begins.
    pub fn stopped<T: Target<Arch = A>>(&mut self, target: &mut T, cause: StopCause, now: Millis) {
        let body = &mut self.body;
        let _ = body.captures.capture(target);
        if self.endpoint.session.state() != SessionState::Active {
            body.stops.forget();
            return;
        }
        let (reason, detail) = match cause {
            StopCause::Step => (Reason::Step, 0),
            StopCause::Breakpoint(slot) => {
                (Reason::Breakpoint, u64::from(body.breakpoints.hit(slot).unwrap_or_default()))
            }
            StopCause::Watch { slot, addr } => {
                let id = u64::from(body.breakpoints.hit(slot).unwrap_or_default());
                (Reason::Watch, (id << 32) | (addr & u64::from(u32::MAX)))
            }
            StopCause::Halted => (Reason::Halted, 0),
            StopCause::Fault(code) => (Reason::Fault, code),
            StopCause::Interlock => (Reason::Interlock, 0),
            StopCause::Reset => (Reason::Reset, 0),
        };
        match body.stops.stopped(reason, detail) {
            Some(event) => body.stops.due = Some(event),
            None => body.stops.next = true,
        }
        self.flush(target, now);
    }

    /// Tells the host of the stop that is due. There is room.
    pub(super) fn send_stop(&mut self, now: Millis) {
        let Some(Event { request, reason, more, detail }) = self.body.stops.due.take() else { return };
        let captures = &self.body.captures;
        let mask = captures.news_and_pc();
        let (capture, values) = (captures.number(), captures.values(mask));
        let stopped = Stopped { request, reason, more, detail, capture, values };
        let _ = self.endpoint.send(&stopped, false, now);
        self.body.captures.told(mask);
        self.body.stops.next = more;
    }
}
