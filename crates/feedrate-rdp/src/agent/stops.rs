//! Halts and steps that are under way, and what is reported to the host (SPEC section 8.4).

use feedrate::rdp::frame::{Reason, Standing};

use crate::target::Refusal;

/// Why the program has stopped, as the target reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StopCause {
    /// [`Stepping::step`](crate::target::Stepping::step) has executed one instruction.
    Step,
    /// It hit the breakpoint in this slot.
    Breakpoint(u16),
    /// It hit the watchpoint in this slot.
    Watch {
        /// The slot.
        slot: u16,
        /// What was accessed.
        addr: u64,
    },
    /// [`Stepping::halt`](crate::target::Stepping::halt) has taken effect.
    Halted,
    /// It caused a fault. The code is the architecture's.
    Fault(u64),
    /// An interlock stopped it.
    Interlock,
    /// It has been reset.
    Reset,
}

/// Where a call returns to, and the stack pointer before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) back: u64,
    pub(super) sp: u64,
}

/// Steps of StepRange.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) over: bool,
    /// The call that is being followed.
    pub(super) call: Option<Call>,
    /// Program counter and stack pointer before the step that is under way.
    pub(super) before: (u64, u64),
}

impl Range {
    /// Whether the program, with this program counter and stack pointer, is to be stepped further. `called` is where
    /// the instruction that has just been executed returns to, if it was a call.
    pub(super) fn goes_on(&mut self, pc: u64, sp: u64, called: impl FnOnce() -> Option<u64>) -> bool {
        if let Some(call) = self.call {
            if pc != call.back || sp < call.sp {
                return true;
            }
            self.call = None;
        }
        let inside = (self.first..=self.last).contains(&pc);
        if !inside && self.over && (self.first..=self.last).contains(&self.before.0) {
            // A call that has returned already does not count.
            let call = called().map(|back| Call { back, sp: self.before.1 });
            self.call = call.filter(|call| pc != call.back || sp < call.sp);
        }
        inside || self.call.is_some()
    }
}

/// Steps that are under way.
#[derive(Debug, Clone, Copy)]
pub(super) enum Steps {
    /// This many, and whether each one is reported.
    Count { left: u32, trace: bool },
    /// Out of a range.
    Range(Range),
}

/// An event that is still to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event {
    pub(super) request: u32,
    pub(super) reason: Reason,
    pub(super) more: bool,
    pub(super) axes: Standing,
    pub(super) detail: u64,
}

pub(super) struct Stops {
    /// Sequence of the command that they come from.
    pub(super) steps: Option<(u32, Steps)>,
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

    pub(super) fn left(&self) -> u32 {
        match self.steps {
            None => 0,
            Some((_, Steps::Count { left, .. })) => left,
            Some((_, Steps::Range(_))) => u32::MAX,
        }
    }

    /// A Halt has been executed.
    pub(super) fn halt(&mut self, request: u32, axes: Standing) {
        self.halt = Some(request);
        let halted = Event { request, reason: Reason::Halted, more: false, axes, detail: 0 };
        if self.next {
            // No instruction is being executed, and none will be.
            self.due = Some(halted);
        }
        if let (Some(_), Some(event)) = (self.steps, &mut self.due) {
            // The step that has just been done is the last one.
            (self.steps, self.halt, self.next) = (None, None, false);
            *event = halted;
        }
    }

    /// No further step begins, although there was no Halt: stepping is no longer permitted.
    pub(super) fn give_up_steps(&mut self, axes: Standing) {
        if self.next {
            self.next = false;
            self.due = self.fail(Refusal::Interlock, axes);
        } else if let Some((_, steps)) = &mut self.steps {
            *steps = Steps::Count { left: 1, trace: false };
        }
    }

    pub(super) fn step(&mut self, request: u32, steps: Steps) {
        self.steps = Some((request, steps));
    }

    /// What is reported to the host of a stop; `None` if it is one of many steps that the host does not want
    /// reported. `goes_on`: StepRange is not at its end.
    #[inline(never)]
    pub(super) fn stopped(
        &mut self,
        reason: Reason,
        detail: u64,
        axes: Standing,
        goes_on: bool,
    ) -> Option<Event> {
        let halt = self.halt.take();
        let Some((request, steps)) = &mut self.steps else {
            let request = halt.filter(|_| reason == Reason::Halted).unwrap_or_default();
            return Some(Event { request, reason, more: false, axes, detail });
        };
        let request = *request;
        if reason == Reason::Step && halt.is_none() {
            let trace = match steps {
                Steps::Count { left, trace } => {
                    *left = left.saturating_sub(1);
                    (*left > 0).then_some(*trace)
                }
                Steps::Range(_) => goes_on.then_some(false),
            };
            if let Some(trace) = trace {
                return trace.then_some(Event { request, reason, more: true, axes, detail });
            }
        }
        self.steps = None;
        Some(match halt {
            Some(request) if matches!(reason, Reason::Step | Reason::Halted) => {
                Event { request, reason: Reason::Halted, more: false, axes, detail }
            }
            _ => Event { request, reason, more: false, axes, detail },
        })
    }

    /// The next step cannot be executed.
    pub(super) fn fail(&mut self, refusal: Refusal, axes: Standing) -> Option<Event> {
        let (request, _) = self.steps.take()?;
        let (reason, detail) = match refusal {
            Refusal::Interlock => (Reason::Interlock, 0),
            Refusal::Fatal(code) => (Reason::Fault, u64::from(code)),
            _ => (Reason::Fault, 0),
        };
        Some(Event { request, reason, more: false, axes, detail })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_left_once_what_was_called_from_it_has_returned() {
        let mut range = Range { first: 100, last: 109, over: true, call: None, before: (100, 50) };
        let none = || None;
        assert!(range.goes_on(104, 50, none));
        range.before = (104, 50);
        // A call: the program is elsewhere, and the instruction after the call is where it returns to.
        assert!(range.goes_on(500, 50, || Some(108)));
        assert!(range.goes_on(502, 40, none));
        // The same address, deeper: the function that was called has called itself.
        assert!(range.goes_on(108, 40, none));
        assert!(range.goes_on(108, 50, none));
        range.before = (108, 50);
        assert!(!range.goes_on(110, 50, none));
        // It returned within the instruction that called.
        let mut at_once = range;
        assert!(!at_once.goes_on(110, 50, || Some(110)));
        let mut into = Range { over: false, ..range };
        assert!(!into.goes_on(500, 50, || Some(108)));
    }
}
