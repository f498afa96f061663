//! Halting, stepping, and telling the host why the program stands (SPEC section 8.4).

use super::super::answer::{Reason, Stopped};
use super::super::authority::Authorize;
use super::super::buffer::Sizes;
use super::super::registers::Arch;
use super::super::request::Step;
use super::super::seal::Seal;
use super::super::state::SessionState;
use super::super::target::{Refusal, Target};
use super::super::time::Millis;
use super::{Agent, Body};

/// Why the program stands still, as the target says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopCause {
    /// [`Stepping::step`](super::super::Stepping::step) has executed one instruction.
    Step,
    /// It met the breakpoint in this slot.
    Breakpoint(u16),
    /// It met the watchpoint in this slot.
    Watch {
        /// The slot.
        slot: u16,
        /// What was accessed.
        addr: u64,
    },
    /// [`Stepping::halt`](super::super::Stepping::halt) has taken effect.
    Halted,
    /// It did something that cannot be. The code is the architecture's.
    Fault(u64),
    /// An interlock stopped it.
    Interlock,
    /// It has been reset.
    Reset,
}

/// An event that is still to be sent.
#[derive(Debug, Clone, Copy)]
struct Event {
    request: u32,
    reason: Reason,
    more: bool,
    detail: u64,
}

pub(super) struct Stops {
    /// Sequence of the Step that is under way, what is left of it, and whether each step is told.
    steps: Option<(u32, Step)>,
    halt: Option<u32>,
    due: Option<Event>,
    /// The next step is to begin, once everybody who waits has been heard.
    next: bool,
}

impl Stops {
    pub(super) const NEW: Self = Self { steps: None, halt: None, due: None, next: false };

    pub(super) fn forget(&mut self) {
        *self = Self::NEW;
    }

    pub(super) const fn is_stepping(&self) -> bool {
        self.steps.is_some()
    }

    pub(super) const fn is_due(&self) -> bool {
        self.due.is_some()
    }

    pub(super) const fn is_next(&self) -> bool {
        self.next
    }

    pub(super) fn left(&self) -> u32 {
        self.steps.map_or(0, |(_, step)| step.count)
    }

    pub(super) fn halt(&mut self, request: u32) {
        self.halt = Some(request);
        if self.next {
            // No instruction is being executed, and none will be.
            self.due = Some(Event { request, reason: Reason::Halted, more: false, detail: 0 });
        }
        if let (Some(_), Some(event)) = (self.steps, &mut self.due) {
            // The step that has just been done is the last one.
            (self.steps, self.halt, self.next) = (None, None, false);
            *event = Event { request, reason: Reason::Halted, more: false, detail: 0 };
        }
    }

    pub(super) fn step(&mut self, request: u32, step: Step) {
        self.steps = Some((request, step));
    }

    /// What the host is to be told of a stop; `None` if it is one of the many steps that it does not want to know of.
    fn stopped(&mut self, reason: Reason, detail: u64) -> Option<Event> {
        let halt = self.halt.take();
        let Some((request, step)) = self.steps else {
            let request = halt.filter(|_| reason == Reason::Halted).unwrap_or_default();
            return Some(Event { request, reason, more: false, detail });
        };
        let left = step.count.saturating_sub(1);
        if reason == Reason::Step && left > 0 && halt.is_none() {
            self.steps = Some((request, Step { count: left, ..step }));
            return step.trace.then_some(Event { request, reason, more: true, detail });
        }
        self.steps = None;
        Some(match halt {
            Some(request) if matches!(reason, Reason::Step | Reason::Halted) => {
                Event { request, reason: Reason::Halted, more: false, detail }
            }
            _ => Event { request, reason, more: false, detail },
        })
    }

    /// The next step cannot be done.
    fn give_up(&mut self, refusal: Refusal) -> Option<Event> {
        let (request, _) = self.steps.take()?;
        let (reason, detail) = match refusal {
            Refusal::Interlock => (Reason::Interlock, 0),
            Refusal::Fatal(code) => (Reason::Fault, u64::from(code)),
            _ => (Reason::Fault, 0),
        };
        Some(Event { request, reason, more: false, detail })
    }
}

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
    /// The program has come to a stand. The registers are captured, the host is told, and if it has asked for more steps, the next one begins.
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
