//! What is checked before a command is executed, in the order of SPEC section 8.1.

use feedrate::rdp::frame::{ByeReason, Domains, Error, ErrorCode, Frame, FrameError};

use super::body::{Body, End};
use super::fail::Fail;
use crate::arch::Arch;
use crate::authority::Authorize;
use crate::count::count;
use crate::endpoint::Reply;
use crate::session::seal::Seal;
use crate::session::{IntegrityLost, Opened, Order, SessionEvent, SessionState};
use crate::target::Target;
use crate::time::Millis;

/// Who commands, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Command {
    pub(super) kind: u8,
    pub(super) sequence: u32,
    pub(super) time: u32,
    pub(super) now: Millis,
}

/// What a kind of command needs (SPEC section 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needs {
    domain: Domains,
    /// It touches the machine.
    touches: bool,
}

/// `None`: it is no command of an active session.
fn needs(frame: &Frame<'_>) -> Option<Needs> {
    let (domain, touches) = match frame {
        Frame::SetBreakpoint(_)
        | Frame::ClearBreakpoint(_)
        | Frame::SetHardwareBreakpoint(_)
        | Frame::SetSoftwareBreakpoint(_)
        | Frame::SetWatchpoint(_)
        | Frame::Halt(_)
        | Frame::Resume(_)
        | Frame::Step(_) => (Domains::CONTROL, true),
        Frame::Force(_) | Frame::Release(_) | Frame::SetAxis(_) => (Domains::FORCE, true),
        Frame::PushPolicy(_) => (Domains::POLICY, true),
        Frame::ListBreakpoints(_)
        | Frame::ReadRegisters(_)
        | Frame::ReadMemory(_)
        | Frame::GetStatus(_)
        | Frame::ReadAxes(_)
        | Frame::ReadPlc(_)
        | Frame::ReadCursor(_)
        | Frame::ReadAudit(_)
        | Frame::ReadMetrics(_) => (Domains::OBSERVE, false),
        _ => return None,
    };
    Some(Needs { domain, touches })
}

impl<A: Arch, U: Authorize> Body<A, U> {
    /// Does what a message says, and sends the answer.
    pub(super) fn message<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        opened: Result<Opened<'_>, IntegrityLost>,
        reply: &mut Reply<'_, Z>,
        now: Millis,
    ) {
        let state = reply.session().state();
        let opened = match opened {
            Ok(opened) if opened.order != Order::Replayed => opened,
            Ok(_) => return count(&mut self.counts.replayed),
            Err(IntegrityLost) => {
                count(&mut self.counts.tags);
                return self.lose_integrity(reply);
            }
        };
        if state == SessionState::Idle {
            reply.session().advance(SessionEvent::Start);
        }
        let frame = match Frame::read_from_host(opened.frame) {
            Ok(frame) => frame,
            Err(FrameError::Version(version)) => {
                return self.refuse(
                    opened.sequence,
                    Fail(ErrorCode::FrameVersion, u32::from(version)),
                    reply,
                );
            }
            Err(FrameError::Malformed { kind, .. }) => {
                let code = if kind < 0x80 { ErrorCode::Malformed } else { ErrorCode::Unexpected };
                return self.refuse(opened.sequence, Fail(code, u32::from(kind)), reply);
            }
            // It does not begin as a debug frame does.
            Err(_) => return self.lose_integrity(reply),
        };
        if let (SessionState::Idle, Frame::Hello(hello)) = (state, &frame) {
            // From here on the tags cover it, also if the Hello is refused.
            reply.session().set_host_nonce(hello.nonce);
        }
        let command = Command { kind: frame.kind(), sequence: opened.sequence, time: opened.time, now };
        let done = match state {
            SessionState::Idle | SessionState::Connecting
                if matches!(frame, Frame::Unknown { kind: ..0x80, .. }) =>
            {
                Err(Fail(ErrorCode::UnknownKind, u32::from(command.kind)))
            }
            SessionState::Idle => match &frame {
                Frame::Hello(hello) if opened.is_first() => self.hello(target, hello, reply, now),
                _ => Err(ErrorCode::Unexpected.into()),
            },
            SessionState::Connecting => match frame {
                Frame::Agree(agree) if opened.order == Order::Fresh => {
                    self.agree(opened.sequence, agree, reply)
                }
                Frame::Agree(_) => return count(&mut self.counts.disordered),
                _ => Err(ErrorCode::Unexpected.into()),
            },
            SessionState::Active => self.active(target, command, &frame, opened.order, reply),
            SessionState::Disconnecting => {
                if let Frame::Bye(_) = frame {
                    self.end = Some(End::Failed);
                }
                return;
            }
            SessionState::Closed => return,
        };
        if let Err(fail) = done {
            self.refuse(opened.sequence, fail, reply);
        }
    }

    fn active<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        target: &mut T,
        command: Command,
        frame: &Frame<'_>,
        order: Order,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        let in_order = order == Order::Fresh;
        if !in_order {
            count(&mut self.counts.disordered);
        }
        match frame {
            Frame::Agree(_) if !in_order => return Ok(()),
            Frame::Heartbeat(_) => return Ok(()),
            Frame::Bye(bye) => {
                if in_order {
                    reply.send(bye);
                    self.end = Some(End::Answered);
                }
                return Ok(());
            }
            Frame::Unknown { kind, .. } if *kind < 0x80 => {
                return Err(Fail(ErrorCode::UnknownKind, u32::from(*kind)));
            }
            _ => {}
        }
        let Some(needs) = needs(frame) else { return Err(ErrorCode::Unexpected.into()) };
        self.limits(frame)?;
        match order {
            Order::Stale => return Err(Fail(ErrorCode::Stale, reply.session().clock(command.now))),
            Order::Disordered => return Err(ErrorCode::Disordered.into()),
            Order::Fresh | Order::Replayed => {}
        }
        if needs.touches {
            if command.sequence <= self.last_command {
                count(&mut self.counts.disordered);
                return Err(ErrorCode::Disordered.into());
            }
            self.last_command = command.sequence;
        }
        // Whoever was allowed to hold something may always let go of it.
        let always = matches!(frame, Frame::Halt(_) | Frame::Release(_));
        let granted = match (self.granted(command.now), always) {
            (Some(grant), _) => grant.domains.contains(needs.domain),
            (None, true) => self.grant.is_some_and(|(grant, _)| grant.domains.contains(needs.domain)),
            (None, false) => false,
        };
        if !granted {
            return Err(ErrorCode::Denied.into());
        }
        self.execute(target, command, frame, reply)?;
        count(&mut self.counts.executed);
        Ok(())
    }

    fn refuse<Z: Seal>(&mut self, request: u32, Fail(code, detail): Fail, reply: &mut Reply<'_, Z>) {
        count(&mut self.counts.refused);
        let state = reply.session().state();
        reply.send(&Error { request, code, detail });
        match state {
            SessionState::Connecting => self.end = Some(End::Failed),
            SessionState::Active if code == ErrorCode::Fatal => {
                self.end = Some(End::Bye(ByeReason::TargetFailed))
            }
            _ => {}
        }
    }

    fn lose_integrity<Z: Seal>(&mut self, reply: &mut Reply<'_, Z>) {
        let session = reply.session();
        session.advance(SessionEvent::Start);
        self.end = match session.state() {
            SessionState::Active => Some(End::Bye(ByeReason::IntegrityLost)),
            SessionState::Idle | SessionState::Connecting => Some(End::Failed),
            SessionState::Disconnecting | SessionState::Closed => None,
        };
    }
}
