//! What is checked before a command is executed, in the order of SPEC section 8.1.

use feedrate::Instant;
use feedrate::rdp::Channel;
use feedrate::rdp::frame::{
    Bye, Capabilities, Cause, Domains, Error, ErrorCode, Fingerprint, Frame, FrameError, Heartbeat,
    SealRecord,
};

use super::device::{Device, MEMORY};
use super::fail::Fail;
use super::handshake::capabilities;
use super::metrics::Count;
use super::policy;
use super::record::Entry;
use super::visit::{End, Visit};
use crate::arch::Arch;
use crate::authority::Authorize;
use crate::endpoint::Reply;
use crate::limits::VALUE;
use crate::session::clock::in_units;
use crate::session::seal::{CHECKSUM, Seal};
use crate::session::{IntegrityLost, Opened, SessionEvent, SessionState};
use crate::sizes::fill;
use crate::target::Target;

/// Who commands what, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Command {
    pub(super) entry: Entry,
    pub(super) now: Instant,
}

impl Command {
    pub(super) const fn request(&self) -> u32 {
        self.entry.sequence
    }
}

/// What a kind of command needs (SPEC section 6.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Needs {
    kind: u8,
    domain: Domains,
    /// What the target has to have. What is not done without a log needs that, too.
    extensions: Capabilities,
    /// Column A: it acts on the machine.
    touches: bool,
    /// Column S: the program must be stopped.
    stands: bool,
    /// It is not done without an interlock.
    interlock: bool,
}

/// `None`: it is not a command of an active session.
fn needs(kind: u8) -> Option<Needs> {
    const BREAKPOINTS: u32 = Capabilities::BREAKPOINTS.0;
    const STEPPING: u32 = Capabilities::STEPPING.0;
    const FORCING: u32 = Capabilities::FORCING.0;
    const MACHINE: u32 = Capabilities::MACHINE.0;
    const AUDIT: u32 = Capabilities::AUDIT.0;
    // Domain; extensions; then bits: 1 touches, 2 stands, 4 interlock.
    let (domain, extensions, bits) = match kind {
        // SetBreakpoint, ClearBreakpoint, SetHardwareBreakpoint, SetSoftwareBreakpoint, SetWatchpoint.
        0x01 | 0x02 | 0x04..=0x06 => (Domains::CONTROL, BREAKPOINTS, 1),
        // ListBreakpoints.
        0x03 => (Domains::OBSERVE, BREAKPOINTS, 0),
        // Halt.
        0x10 => (Domains::CONTROL, STEPPING, 1),
        // Resume, Step, StepRange.
        0x11..=0x13 => (Domains::CONTROL, STEPPING, 3),
        // ReadRegisters, GetStatus, ReadMetrics, ReadMap.
        0x18 | 0x28 | 0x31 | 0x34 => (Domains::OBSERVE, 0, 0),
        // ReadMemory.
        0x19 => (Domains::OBSERVE, Capabilities::MEMORY.0, 0),
        // Force.
        0x1A => (Domains::FORCE, FORCING | AUDIT, 5),
        // Release.
        0x1B => (Domains::FORCE, FORCING, 1),
        // Renew.
        0x1C => (Domains::FORCE, FORCING, 0),
        // WriteMemory, WriteRegister.
        0x1D | 0x1E => (Domains::FORCE, Capabilities::WRITING.0 | AUDIT, 7),
        // SetAxis.
        0x29 => (Domains::FORCE, MACHINE | AUDIT, 5),
        // ReadAxes, ReadPlc, ReadCursor.
        0x2A..=0x2C => (Domains::OBSERVE, MACHINE, 0),
        // ReadAudit.
        0x30 => (Domains::OBSERVE, AUDIT, 0),
        // PushPolicy.
        0x32 => (Domains::POLICY, BREAKPOINTS | AUDIT, 1),
        // ListVariables.
        0x33 => (Domains::OBSERVE, Capabilities::VARIABLES.0, 0),
        // ReleaseAudit.
        0x35 => (Domains::AUDIT, AUDIT, 1),
        _ => return None,
    };
    Some(Needs {
        kind,
        domain,
        extensions: Capabilities(extensions),
        touches: bits & 1 != 0,
        stands: bits & 2 != 0,
        interlock: bits & 4 != 0,
    })
}

/// The device that a command is meant for, if it names one.
const fn fingerprint<'f>(frame: &'f Frame<'_>) -> Option<&'f Fingerprint> {
    match frame {
        Frame::Force(body) => Some(&body.fingerprint),
        Frame::Release(body) => Some(&body.fingerprint),
        Frame::Renew(body) => Some(&body.fingerprint),
        Frame::WriteMemory(body) => Some(&body.fingerprint),
        Frame::WriteRegister(body) => Some(&body.fingerprint),
        Frame::SetAxis(body) => Some(&body.fingerprint),
        _ => None,
    }
}

/// What the log records of a command: address and value (SPEC section 6.5).
fn what(frame: &Frame<'_>) -> (u64, u64) {
    match frame {
        Frame::SetBreakpoint(at)
        | Frame::ClearBreakpoint(at)
        | Frame::ListBreakpoints(at)
        | Frame::SetHardwareBreakpoint(at)
        | Frame::SetSoftwareBreakpoint(at) => (at.addr, u64::from(at.id)),
        Frame::SetWatchpoint(watch) => (watch.addr, u64::from(watch.id)),
        Frame::Step(step) => (0, u64::from(step.count)),
        Frame::StepRange(range) => (range.first, range.last),
        Frame::ReadMemory(read) => (read.addr, 0),
        Frame::Force(force) => (force.addr, shown(force.value.as_slice())),
        Frame::Release(release) => (release.addr, 0),
        Frame::Renew(renew) => (renew.addr, 0),
        Frame::WriteMemory(write) => (write.addr, shown(write.data.as_slice())),
        Frame::WriteRegister(write) => (u64::from(write.register), write.value),
        Frame::SetAxis(set) => (u64::from(set.axis), u64::from_be_bytes(set.position.to_be_bytes())),
        Frame::PushPolicy(policy) => (u64::from(policy.version), 0),
        Frame::ReleaseAudit(release) => (0, u64::from(release.upto)),
        _ => (0, 0),
    }
}

/// The first 8 bytes of a value, padded with zeros at the end.
fn shown(value: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes, value);
    u64::from_be_bytes(bytes)
}

impl<A: Arch> Device<A> {
    /// The fields' own rules, whatever the state of the session.
    fn limits(&self, kind: u8, frame: &Frame<'_>) -> Result<(), Fail> {
        let malformed = Err(Fail::new(ErrorCode::Malformed, u32::from(kind)));
        let (value, limit) = match frame {
            Frame::SetWatchpoint(watch) => (watch.length, u32::MAX),
            Frame::Step(step) => (step.count, u32::MAX),
            Frame::ReadMemory(read) => (u32::from(read.length), u32::try_from(MEMORY).unwrap_or(u32::MAX)),
            Frame::WriteMemory(write) => {
                (length(write.data.as_slice()), u32::try_from(MEMORY).unwrap_or(u32::MAX))
            }
            Frame::ReadAudit(read) => (u32::from(read.count), u32::MAX),
            Frame::Force(force) => {
                let (value, safe) = (force.value.as_slice().len(), force.safe.as_slice().len());
                if !(1..=VALUE).contains(&value) || (safe != 0 && safe != value) {
                    return malformed;
                }
                (force.lease, self.config.lease)
            }
            Frame::Renew(renew) => (renew.lease, self.config.lease),
            // What does not fit into a register.
            Frame::WriteRegister(write) if A::WIDTH < 8 && write.value > u64::from(u32::MAX) => {
                return malformed;
            }
            Frame::PushPolicy(policy) if policy.version == 0 => (0, u32::MAX),
            Frame::PushPolicy(policy) => {
                let rules = u32::try_from(policy.rules.len()).unwrap_or(u32::MAX);
                // A policy without rules is a policy too.
                (rules.max(1), u32::try_from(policy::MOST).unwrap_or(u32::MAX))
            }
            _ => return Ok(()),
        };
        if (1..=limit).contains(&value) {
            return Ok(());
        }
        Err(Fail::new(ErrorCode::Limit, if limit == u32::MAX { 0 } else { limit }))
    }

    /// Extension, device, and the state of the machine.
    fn check<T: Target<Arch = A>>(
        &self,
        target: &mut T,
        needs: Needs,
        frame: &Frame<'_>,
        generation: u32,
    ) -> Result<(), Fail> {
        let supported = capabilities(target, needs.extensions) == needs.extensions;
        if !supported || (needs.interlock && target.interlock().is_none()) {
            return Err(ErrorCode::Unsupported.into());
        }
        if fingerprint(frame).is_some_and(|meant| *meant != target.fingerprint()) {
            return Err(ErrorCode::WrongDevice.into());
        }
        let always = matches!(frame, Frame::Halt(_) | Frame::Release(_));
        let present = target.generation();
        if needs.touches && !matches!(frame, Frame::Halt(_)) && present != generation {
            return Err(Fail::new(ErrorCode::ProgramChanged, present));
        }
        let takes_back = always || matches!(frame, Frame::ClearBreakpoint(_));
        let holds_on = needs.touches || matches!(frame, Frame::Renew(_));
        if holds_on && !takes_back && self.stuck() > 0 {
            return Err(ErrorCode::Stuck.into());
        }
        if needs.touches && !always && self.stops.is_stepping() {
            return Err(ErrorCode::Busy.into());
        }
        if needs.stands && !target.is_stopped() {
            return Err(ErrorCode::WrongState.into());
        }
        Ok(())
    }
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

impl<A: Arch> Visit<A> {
    /// Does what a message requests, and sends the answer.
    #[allow(clippy::too_many_arguments, reason = "a message meets all that an agent is made of")]
    pub(super) fn message<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        device: &mut Device<A>,
        authority: &mut impl Authorize,
        target: &mut T,
        channel: Channel,
        opened: Result<Opened<'_>, IntegrityLost>,
        reply: &mut Reply<'_, Z>,
        now: Instant,
    ) {
        let state = reply.session().state();
        if state == SessionState::Disconnecting {
            // Whatever else arrives is discarded.
            let answered =
                opened.is_ok_and(|opened| matches!(Frame::read_from_host(opened.frame), Ok(Frame::Bye(_))));
            if answered {
                self.end = Some(End::Done);
            }
            return;
        }
        let opened = match opened {
            Ok(opened) if !opened.replayed => opened,
            Ok(_) => return device.counts.count(Count::REPLAYED),
            Err(IntegrityLost) => {
                device.counts.count(Count::TAGS);
                return self.lose_integrity(reply);
            }
        };
        if state == SessionState::Idle {
            reply.session().advance(SessionEvent::Start);
        }
        let frame = match Frame::read_from_host(opened.frame) {
            Ok(frame) => frame,
            Err(FrameError::Version(version)) => {
                let fail = Fail::new(ErrorCode::FrameVersion, u32::from(version));
                return self.refuse(device, opened.sequence, fail, reply);
            }
            Err(FrameError::Malformed { kind, .. }) => {
                let of_hosts = kind < 0x80;
                let fail = if of_hosts {
                    Fail::new(ErrorCode::Malformed, kind.into())
                } else {
                    ErrorCode::Unexpected.into()
                };
                return self.refuse(device, opened.sequence, fail, reply);
            }
            // It does not begin as a debug frame does.
            Err(_) => return self.lose_integrity(reply),
        };
        let sequence = opened.sequence;
        let done = match (state, &frame) {
            (SessionState::Closed, _) => return,
            (_, Frame::Unknown { kind: kind @ ..0x80, .. }) => {
                Err(Fail::new(ErrorCode::UnknownKind, u32::from(*kind)))
            }
            (SessionState::Active, frame) => self.active(device, target, channel, &opened, frame, reply, now),
            (_, Frame::SealRecord(record)) if channel == Channel::Urgent => self.seal_record(record, reply),
            (_, Frame::Hello(hello)) if self.grant.is_none() => {
                // From here on the tags cover it, even if the Hello is refused.
                reply.session().set_host_nonce(hello.nonce);
                if sequence == 0 && opened.time == 0 && channel == Channel::Urgent {
                    self.hello(device, authority, target, hello, reply, now)
                } else {
                    Err(ErrorCode::Unexpected.into())
                }
            }
            (_, Frame::Agree(agree)) if self.grant.is_some() && channel == Channel::Urgent => {
                if !self.is_on_time(device, &opened, reply.on_time, now) {
                    return device.counts.count(Count::OUT_OF_TIME);
                }
                self.agree(&mut device.clock, &opened, *agree, reply, now)
            }
            _ => Err(ErrorCode::Unexpected.into()),
        };
        if let Err(fail) = done {
            self.refuse(device, sequence, fail, reply);
        }
    }

    /// SPEC section 5.6, the second check.
    fn is_on_time(&self, device: &Device<A>, opened: &Opened<'_>, on_time: bool, now: Instant) -> bool {
        let age = self.clock(now).checked_sub(opened.time);
        on_time && age.is_some_and(|age| age <= in_units(device.config.tolerance))
    }

    #[allow(clippy::too_many_arguments, reason = "a message meets all that an agent is made of")]
    fn active<T: Target<Arch = A>, Z: Seal>(
        &mut self,
        device: &mut Device<A>,
        target: &mut T,
        channel: Channel,
        opened: &Opened<'_>,
        frame: &Frame<'_>,
        reply: &mut Reply<'_, Z>,
        now: Instant,
    ) -> Result<(), Fail> {
        let on_time = self.is_on_time(device, opened, reply.on_time, now);
        let urgent = channel == Channel::Urgent;
        match frame {
            Frame::Heartbeat(_) | Frame::Bye(_) | Frame::Agree(_) if urgent && !on_time => {
                device.counts.count(Count::OUT_OF_TIME);
                return Ok(());
            }
            Frame::Heartbeat(Heartbeat { challenge, .. }) if urgent => {
                if self.heartbeats.echoed(*challenge) {
                    device.counts.count(Count::ECHOES);
                    if !self.observer {
                        device.clock.forgive();
                    }
                }
                return Ok(());
            }
            Frame::Bye(Bye { reason }) if urgent => {
                reply.send(&Bye { reason: *reason });
                // A reason that this version does not know, or that never goes on the wire, counts as asked for.
                self.end = Some(End::Answered(if reason.ends_session() { *reason } else { Cause::Asked }));
                return Ok(());
            }
            _ => {}
        }
        let kind = frame.kind();
        let Some(needs) = needs(kind) else { return Err(ErrorCode::Unexpected.into()) };
        device.limits(kind, frame)?;
        let (addr, value) = what(frame);
        let who = self.who(now);
        let entry = Entry { who, kind, sequence: opened.sequence, time: opened.time, addr, value };
        let command = Command { entry, now };
        let on_time = on_time || (reply.on_time && matches!(frame, Frame::Halt(_) | Frame::Release(_)));
        device.recorded = false;
        let done = self
            .order(device, channel, needs, frame, opened, on_time, now)
            .and_then(|()| self.authorise(target, needs, frame))
            .and_then(|()| device.check(target, needs, frame, self.generation))
            .and_then(|()| device.execute(self, target, &command, frame, reply));
        match done {
            Ok(()) => device.counts.count(Count::EXECUTED),
            Err(fail) => {
                let noted = needs.touches || matches!(fail.code(), ErrorCode::Denied | ErrorCode::Protected);
                if noted && !device.recorded {
                    device.record_refusal(target, &entry, fail);
                }
            }
        }
        done
    }

    /// Channel, time, and what has overtaken it (SPEC section 5.6).
    #[allow(clippy::too_many_arguments, reason = "a message meets all that an agent is made of")]
    fn order(
        &mut self,
        device: &mut Device<A>,
        channel: Channel,
        needs: Needs,
        frame: &Frame<'_>,
        opened: &Opened<'_>,
        on_time: bool,
        now: Instant,
    ) -> Result<(), Fail> {
        if Channel::of_kind(needs.kind) != Some(channel) {
            return Err(ErrorCode::Unexpected.into());
        }
        if !on_time {
            device.counts.count(Count::OUT_OF_TIME);
            return Err(Fail::new(ErrorCode::Stale, self.clock(now)));
        }
        let sequence = opened.sequence;
        let by_halt = needs.touches && self.halted.is_some_and(|halted| sequence <= halted);
        let forces = matches!(frame, Frame::Force(_) | Frame::Renew(_));
        let by_release = forces && self.released.is_some_and(|released| sequence <= released);
        match frame {
            Frame::Halt(_) => self.halted = Some(sequence),
            Frame::Release(_) => self.released = Some(sequence),
            _ if by_halt || by_release => {
                device.counts.count(Count::OUT_OF_TIME);
                return Err(ErrorCode::Disordered.into());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whoever was allowed to hold something may always release it.
    fn authorise<T: Target<Arch = A>>(
        &self,
        target: &T,
        needs: Needs,
        frame: &Frame<'_>,
    ) -> Result<(), Fail> {
        let allowed = match frame {
            Frame::Halt(_) | Frame::Release(_) => self.granted(),
            _ => self.allowed(target.permitted()),
        };
        if allowed.contains(needs.domain) {
            return Ok(());
        }
        Err(Fail::new(ErrorCode::Denied, u32::from(needs.domain.0)))
    }

    fn refuse<Z: Seal>(
        &mut self,
        device: &mut Device<A>,
        request: u32,
        fail: Fail,
        reply: &mut Reply<'_, Z>,
    ) {
        device.counts.count(Count::REFUSED);
        let state = reply.session().state();
        reply.send(&Error { request, code: fail.code(), detail: fail.detail });
        match state {
            SessionState::Connecting => self.end = Some(End::Failed),
            SessionState::Active if fail.code() == ErrorCode::Fatal => {
                self.end = Some(End::Bye(Cause::TargetFailed));
            }
            _ => {}
        }
    }

    fn lose_integrity<Z: Seal>(&mut self, reply: &mut Reply<'_, Z>) {
        let session = reply.session();
        session.advance(SessionEvent::Start);
        self.end = match session.state() {
            SessionState::Active => Some(End::Bye(Cause::IntegrityLost)),
            SessionState::Idle | SessionState::Connecting => Some(End::Failed),
            SessionState::Disconnecting | SessionState::Closed => None,
        };
    }

    /// A record of the seal's handshake (SPEC section 5.5).
    fn seal_record<Z: Seal>(
        &mut self,
        record: &SealRecord<'_>,
        reply: &mut Reply<'_, Z>,
    ) -> Result<(), Fail> {
        let session = reply.session();
        if Z::SUITE == CHECKSUM || record.suite != Z::SUITE || session.is_sealed() {
            return Err(Fail::new(ErrorCode::NoSeal, u32::from(Z::SUITE)));
        }
        session
            .seal()
            .take_record(record.record.as_slice())
            .map_err(|code| Fail::new(ErrorCode::NoSeal, code))
    }
}
