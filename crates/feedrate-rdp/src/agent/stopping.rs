//! A program that stops, and what follows (SPEC sections 8.4 and 8.7).

use feedrate::Instant;
use feedrate::rdp::frame::{Cause, Reason, Record};

use super::Agent;
use super::device::{Device, Who, standing};
use super::record::Entry;
use super::stops::{Steps, StopCause};
use super::withdraw::react;
use crate::arch::{Arch, Return};
use crate::authority::Authorize;
use crate::line::Line;
use crate::session::SessionState;
use crate::session::seal::Seal;
use crate::target::{Act, Refusal, Target};

/// The reason's number, as the log has it (SPEC section 6.5).
const fn number(reason: Reason) -> u64 {
    match reason {
        Reason::Breakpoint => 2,
        _ => 3,
    }
}

impl<A: Arch> Device<A> {
    /// Begins the next step of those that are under way.
    fn next_step<T: Target<Arch = A>>(&mut self, target: &mut T) {
        self.stops.next = false;
        let refused = match (self.permit(target, Act::Step), target.stepping()) {
            (Err(_), _) => Some(Refusal::Interlock),
            (Ok(()), Some(stepping)) => stepping.step().err(),
            (Ok(()), None) => Some(Refusal::Unsupported),
        };
        if let Some(refusal) = refused {
            let axes = standing(target);
            self.stops.due = self.stops.fail(refusal, axes);
            if let Some(event) = self.stops.due {
                self.last_stop = Some((event.reason, event.detail));
            }
        }
    }

    /// Whether StepRange is not at its end, now that another instruction has been executed.
    fn follow_range<T: Target<Arch = A>>(&mut self, target: &mut T) -> bool {
        let Some((request, Steps::Range(mut range))) = self.stops.steps else { return false };
        let (pc, sp) = (self.captures.register(A::PC), self.captures.register(A::SP));
        let before = range.before;
        let goes_on = range.goes_on(pc, sp, || self.called(target, before, sp));
        range.before = (pc, sp);
        self.stops.steps = Some((request, Steps::Range(range)));
        goes_on
    }

    /// Where the instruction that has just been executed returns to, if it was a call: right after itself.
    fn called<T: Target<Arch = A>>(&self, target: &mut T, before: (u64, u64), sp: u64) -> Option<u64> {
        let (from, sp_before) = before;
        let (back, longest) = match A::RETURN {
            Return::Link { register, flags } => (self.captures.register(register) & !flags, 4),
            Return::Stack => {
                sp_before.checked_sub(sp).filter(|pushed| *pushed == 8)?;
                let mut back = [0; 8];
                let read = target.memory()?.read(sp, &mut back);
                (Some(u64::from_le_bytes(back)).filter(|_| read == Ok(8))?, 15)
            }
        };
        let behind = back.checked_sub(from)?;
        (1..=longest).contains(&behind).then_some(back)
    }
}

impl<A: Arch, U: Authorize, L: Line, Z: Seal> Agent<A, U, L, Z> {
    /// The program has stopped. The registers are captured, the stop is reported to the host, and if the host has
    /// requested more steps, the next one begins in [`run`](Self::run).
    pub fn stopped<T: Target<Arch = A>>(&mut self, target: &mut T, cause: StopCause, now: Instant) {
        let now = self.device.clock.see(now);
        let device = &mut self.device;
        let _ = device.captures.capture(target);
        let (reason, detail) = match cause {
            StopCause::Step => (Reason::Step, 0),
            StopCause::Breakpoint(slot) => {
                (Reason::Breakpoint, u64::from(device.breakpoints.hit(slot).unwrap_or_default()))
            }
            StopCause::Watch { slot, addr } => {
                let id = u64::from(device.breakpoints.hit(slot).unwrap_or_default());
                (Reason::Watch, (id << 32) | (addr & u64::from(u32::MAX)))
            }
            StopCause::Halted => (Reason::Halted, 0),
            StopCause::Fault(code) => (Reason::Fault, code),
            StopCause::Interlock => (Reason::Interlock, 0),
            StopCause::Reset => (Reason::Reset, 0),
        };
        if self.seat.state() != SessionState::Active {
            device.last_stop = Some((reason, detail));
            device.stops.forget();
            if matches!(cause, StopCause::Breakpoint(_) | StopCause::Watch { .. }) {
                // It was hit just before it was cleared, and nobody waits for it.
                react(target, device.last_end.cause);
                let entry = Entry {
                    who: Who::NOBODY,
                    kind: Record::STOP_WITHOUT_SESSION,
                    sequence: 0,
                    time: 0,
                    addr: device.captures.register(A::PC),
                    value: number(reason),
                };
                device.record_event(target, &entry, Cause::None, Ok(()), 1);
            }
            return;
        }
        let axes = standing(target);
        let goes_on = target.stepping().is_some() && reason == Reason::Step && device.follow_range(target);
        match device.stops.stopped(reason, detail, axes, goes_on) {
            Some(event) => device.stops.due = Some(event),
            None => device.stops.next = true,
        }
        self.tell_stop(now);
    }

    /// Reports the stop that is due to the host. `false`: there is no room now.
    pub(super) fn tell_stop(&mut self, now: Instant) -> bool {
        let Some(event) = self.device.stops.due else { return true };
        // As it is reported: a step that a Halt has made the last one is not reported as a step.
        self.device.last_stop = Some((event.reason, event.detail));
        let told = self.seat.tell_stop(&self.device, event, now);
        if told {
            self.device.stops.due = None;
            self.device.stops.next = event.more;
        }
        told
    }

    /// Begins the next step, if nothing waits. A command goes before it, even one that waits for room; so does the
    /// answer to a command, which the events of a long series would hold back for ever.
    pub(super) fn go_on<T: Target<Arch = A>>(&mut self, target: &mut T) {
        if target.stepping().is_some() && self.device.stops.next && !self.seat.is_awaited() {
            self.device.next_step(target);
        }
    }
}
