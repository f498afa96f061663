//! Halts and steps that are under way, and what the host is to be told of them (SPEC section 8.4).

use feedrate::rdp::frame::{Reason, Step};

use crate::target::Refusal;

/// Why the program stands still, as the target says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopCause {
    /// [`Stepping::step`](crate::target::Stepping::step) has executed one instruction.
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
    /// [`Stepping::halt`](crate::target::Stepping::halt) has taken effect.
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
pub(super) struct Event {
    pub(super) request: u32,
    pub(super) reason: Reason,
    pub(super) more: bool,
    pub(super) detail: u64,
}

pub(super) struct Stops {
    /// Sequence of the Step that is under way, what is left of it, and whether each step is told.
    steps: Option<(u32, Step)>,
    halt: Option<u32>,
    pub(super) due: Option<Event>,
    /// The next step is to begin, once everybody who waits has been heard.
    pub(super) next: bool,
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
    pub(super) fn stopped(&mut self, reason: Reason, detail: u64) -> Option<Event> {
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
    pub(super) fn give_up(&mut self, refusal: Refusal) -> Option<Event> {
        let (request, _) = self.steps.take()?;
        let (reason, detail) = match refusal {
            Refusal::Interlock => (Reason::Interlock, 0),
            Refusal::Fatal(code) => (Reason::Fault, u64::from(code)),
            _ => (Reason::Fault, 0),
        };
        Some(Event { request, reason, more: false, detail })
    }
}
